/**
 * The doors of the gateway without sockets: the pass-through and the chat, over the services of a house.
 *
 * Both are the ones that the gateway has, so that pins, fallbacks and refusals are its own.
 */

import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { TurnEvent } from '../../src/domain/chat.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { Fault } from '../../src/domain/fault.ts'
import type { AgentId, SessionId } from '../../src/domain/names.ts'
import type { Result } from '../../src/domain/result.ts'
import { fail } from '../../src/domain/result.ts'
import type { Exchange } from '../../src/gateway/exchange.ts'
import { proxyRoutes } from '../../src/gateway/proxy-routes.ts'
import { findRoute } from '../../src/gateway/routes.ts'
import { createConversation } from '../../src/services/conversation.ts'
import type { Dispatch, DispatchRequest, Served } from '../../src/services/dispatch.ts'
import { CHAT_CODECS } from '../../src/wire/chat-codecs.ts'
import type { House } from '../services/house.ts'

export interface Doors {
  /** A program's request. Its answer is what the gateway decided; the body has been passed on. */
  api(request: ApiRequest): Promise<Result<Served, Fault>>
  /** What is said in a session; a command as well. */
  say(message: string, turn: Turn): Promise<Result<readonly TurnEvent[], Fault>>
}

export interface ApiRequest {
  readonly agent: AgentId
  readonly model: string
  readonly session?: SessionId
}

export interface Turn {
  readonly agent: AgentId
  readonly session: SessionId
  readonly model?: string
}

const MOST_BYTES = 1_000_000

/** What a test does with the requests that pass the doors. */
export interface Watch {
  /** Told what each request came to. */
  readonly seen?: (outcome: Result<Served, Fault>, request: DispatchRequest) => void
  /** Breaks something on purpose. */
  readonly broken?: (request: DispatchRequest) => DispatchRequest
}

export function openDoors(
  at: House,
  { seen = () => undefined, broken = (request) => request }: Watch = {},
): Doors {
  const { sessions, clock, resolveWorld } = at
  const never = new AbortController().signal
  const dispatch: Dispatch = async (request) => {
    const outcome = await at.dispatch(broken(request))
    seen(outcome, request)
    return outcome
  }
  const conversation = createConversation({
    loadWorld: resolveWorld,
    dispatch,
    sessions,
    codecs: CHAT_CODECS,
    clock,
  })
  return {
    async api({ agent, model, session }) {
      let decided: Result<Served, Fault> | undefined
      const routes = proxyRoutes({
        resolveWorld,
        sessions,
        clock,
        clients: { isTaken: () => false },
        dispatch: async (request) => (decided = await dispatch(request)),
      })
      const { route, parameters } = orThrow(findRoute(routes, 'POST', '/v1/messages'))
      const headers = {
        'x-equabot-agent': agent,
        ...(session !== undefined && { 'x-equabot-session': session }),
      }
      const handled = await route.handle({
        ...exchange(headers, JSON.stringify({ model, max_tokens: 8, messages: [] })),
        path: route.path,
        search: '',
        parameters,
        dialect: 'anthropic',
        requestId: 'request',
        signal: never,
        draining: never,
        ending: { aborted: false, fault: { code: 'EQ_GATEWAY_STOPPING' } },
        caller: { kind: 'admin' },
        bodyIdleMs: 60_000,
        maxBodyBytes: MOST_BYTES,
      })
      if (decided) return decided
      return handled.ok ? fail({ code: 'EQ_INTERNAL', detail: 'answered by nobody' }) : handled
    },

    async say(message, { agent, session, model }) {
      const events: TurnEvent[] = []
      const turn = { agent, session, message, ...(model !== undefined && { model }) }
      for await (const event of conversation.turn(turn, never)) events.push(event)
      const last = events.at(-1)
      return last?.type === 'failed' ? fail(last.fault) : { ok: true, value: events }
    },
  }
}

/** A request that has arrived whole, and a response that nobody holds up. */
function exchange(
  headers: Readonly<Record<string, string>>,
  body: string,
): Pick<Exchange, 'request' | 'response'> {
  const line = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => done(),
  }) as unknown as Socket
  line.setTimeout = () => line
  const request = new IncomingMessage(line)
  request.method = 'POST'
  request.headers = { ...headers }
  request.headersDistinct = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value]]),
  )
  request.push(body)
  request.push(null)
  const response = new ServerResponse(request)
  response.assignSocket(line)
  return { request, response }
}
