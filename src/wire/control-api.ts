/**
 * The control API as data. The gateway serves what stands here, the OpenAPI document is made from it, and clients
 * need know nothing else of the gateway.
 */

import type * as v from 'valibot'
import {
  AGENTS,
  DELETED,
  EXPLAIN,
  MODELS,
  ONE_SESSION,
  SESSIONS,
  STATUS,
} from './control-schema.ts'
import { EVENT } from './event-json.ts'
import { TURN_EVENT, TURN_REQUEST } from './turn-events.ts'

export interface ControlRoute {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With parameters in braces: `/api/sessions/{id}`. */
  readonly path: string
  readonly summary: string
  /** Query parameters, all optional, each with its meaning. */
  readonly query?: Readonly<Record<string, string>>
  /** Request headers that mean something here, all optional, each with its meaning. */
  readonly headers?: Readonly<Record<string, string>>
  readonly request?: v.GenericSchema
  /** Of the answer; of each event where the answer is a stream. Absent: any JSON object. */
  readonly reply?: v.GenericSchema
  /** Answers with server-sent events. */
  readonly streams?: true
}

export type ControlRouteName =
  | 'chat'
  | 'events'
  | 'status'
  | 'explain'
  | 'models'
  | 'agents'
  | 'sessions'
  | 'session'
  | 'deleteSession'
  | 'openApi'

const AGENT_QUERY = { agent: 'Id of the agent; the default agent when left out' }

export const CONTROL_ROUTES: Readonly<Record<ControlRouteName, ControlRoute>> = {
  chat: {
    method: 'POST',
    path: '/api/chat',
    summary: 'Send a message, or a slash command, to a session and stream the reply',
    request: TURN_REQUEST,
    reply: TURN_EVENT,
    streams: true,
  },
  events: {
    method: 'GET',
    path: '/api/events',
    summary: 'What happens to credentials and requests, as it happens',
    query: {
      since:
        'Id of the last event that was seen; 0 for all that are kept; only new ones when left out',
      follow: 'no: end after what is kept',
    },
    headers: { 'Last-Event-ID': 'Id of the last event that was seen; wins over since' },
    reply: EVENT,
    streams: true,
  },
  status: {
    method: 'GET',
    path: '/api/status',
    summary: 'The default model, and the credentials that serve it with their health',
    query: AGENT_QUERY,
    reply: STATUS,
  },
  explain: {
    method: 'GET',
    path: '/api/explain',
    summary: 'What the next request would use: every candidate in order, with its reason',
    query: {
      ...AGENT_QUERY,
      session: 'Id of a session, for its model and pin',
      model: 'An alias or provider/model, either with @provider:name',
    },
    reply: EXPLAIN,
  },
  models: {
    method: 'GET',
    path: '/api/models',
    summary: 'The models that may be chosen',
    query: AGENT_QUERY,
    reply: MODELS,
  },
  agents: {
    method: 'GET',
    path: '/api/agents',
    summary: 'The agents and what they use',
    reply: AGENTS,
  },
  sessions: {
    method: 'GET',
    path: '/api/sessions',
    summary: 'The sessions of an agent',
    query: AGENT_QUERY,
    reply: SESSIONS,
  },
  session: {
    method: 'GET',
    path: '/api/sessions/{id}',
    summary: 'One session with its transcript',
    query: AGENT_QUERY,
    reply: ONE_SESSION,
  },
  deleteSession: {
    method: 'DELETE',
    path: '/api/sessions/{id}',
    summary: 'Delete a session with its transcript',
    query: AGENT_QUERY,
    reply: DELETED,
  },
  openApi: {
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This description',
  },
}
