/** The control API: what `wire/control-api.ts` describes, answered from the services. */

import type { Fault } from '../domain/fault.ts'
import type { AgentId, SessionId } from '../domain/names.ts'
import { parseSessionId } from '../domain/names.ts'
import type { SessionHead } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import type { ControlRouteName } from '../wire/control-api.ts'
import { CONTROL_ROUTES } from '../wire/control-api.ts'
import { explainJson, modelJson, sessionJson, statusJson } from '../wire/report-json.ts'
import { chatHandle } from './chat-routes.ts'
import { eventsHandle } from './event-routes.ts'
import type { Exchange, Handle } from './exchange.ts'
import { namedAgent, sendJson } from './exchange.ts'
import type { Route } from './routes.ts'

/** Gives the body of an answer. */
type Answer = (asked: Asked, exchange: Exchange) => Promise<Result<unknown, Fault>>

interface Asked {
  readonly agent?: AgentId
  readonly session?: SessionId
  readonly model?: string
}

export function controlRoutes(app: App): readonly Route[] {
  const handles: Readonly<Record<ControlRouteName, Handle>> = {
    chat: chatHandle(app),
    events: eventsHandle(app),
    ...reportHandles(app),
    ...sessionHandles(app),
    openApi: answering(async () => {
      const { openApiDocument } = await import('../wire/open-api.ts')
      return ok(openApiDocument(app.version))
    }),
  }
  return names(handles).map((name) => {
    const { method, path } = CONTROL_ROUTES[name]
    return { method, path, handle: handles[name] }
  })
}

function reportHandles(
  app: App,
): Readonly<Record<'status' | 'explain' | 'models' | 'agents', Handle>> {
  return {
    status: answering(async ({ agent }) => {
      const report = await app.report.status(agent ? { agent } : {})
      return report.ok ? ok(statusJson(report.value)) : report
    }),
    explain: answering(async (asked) => {
      const report = await app.report.explain(asked)
      return report.ok ? ok(explainJson(report.value)) : report
    }),
    models: answering(async ({ agent }) => {
      const listed = await app.report.models(agent ? { agent } : {})
      return listed.ok ? ok({ models: listed.value.map(modelJson) }) : listed
    }),
    agents: answering(async () => {
      const listed = await app.agents.list()
      return listed.ok ? ok({ agents: listed.value }) : listed
    }),
  }
}

function sessionHandles(
  app: App,
): Readonly<Record<'sessions' | 'session' | 'deleteSession', Handle>> {
  return {
    sessions: answering(async ({ agent }) => {
      const world = await app.loadWorld(agent)
      if (!world.ok) return world
      const heads = await app.sessions.list(world.value.agent)
      return heads.ok ? ok({ sessions: heads.value.heads.map(sessionJson) }) : heads
    }),
    session: answering(async ({ agent }, exchange) => {
      const head = await existingSession(app, agent, exchange)
      if (!head.ok) return head
      const transcript = await app.sessions.transcript(head.value.agent, head.value.id)
      if (!transcript.ok) return transcript
      return ok({ session: sessionJson(head.value), transcript: transcript.value })
    }),
    deleteSession: answering(async ({ agent }, exchange) => {
      const head = await existingSession(app, agent, exchange)
      if (!head.ok) return head
      const removed = await app.sessions.remove(head.value.agent, head.value.id)
      return removed.ok ? ok({ deleted: head.value.id }) : removed
    }),
  }
}

async function existingSession(
  app: App,
  agent: AgentId | undefined,
  { parameters }: Exchange,
): Promise<Result<SessionHead, Fault>> {
  const session = namedSession(parameters['id'] ?? '')
  if (!session.ok) return session
  const world = await app.loadWorld(agent)
  if (!world.ok) return world
  const head = await app.sessions.read(world.value.agent, session.value)
  if (!head.ok) return head
  if (head.value) return ok(head.value)
  return fail({ code: 'EQ_SESSION_UNKNOWN', session: session.value, agent: world.value.agent })
}

function answering(answer: Answer): Handle {
  return async function handle(exchange) {
    const asked = parseQuery(exchange.search)
    if (!asked.ok) return asked
    const answered = await answer(asked.value, exchange)
    if (!answered.ok) return answered
    sendJson(exchange, 200, answered.value)
    return ok()
  }
}

/** An empty parameter counts as left out. @faults `EQ_NAME_INVALID` */
function parseQuery(search: string): Result<Asked, Fault> {
  const query = new URLSearchParams(search)
  const text = (name: string): string | undefined => query.get(name) || undefined
  const agent = namedAgent(text('agent'))
  if (!agent.ok) return agent
  const sessionText = text('session')
  const session = sessionText === undefined ? ok(undefined) : namedSession(sessionText)
  if (!session.ok) return session
  const model = text('model')
  return ok({
    ...(agent.value && { agent: agent.value }),
    ...(session.value && { session: session.value }),
    ...(model !== undefined && { model }),
  })
}

function namedSession(text: string): Result<SessionId, Fault> {
  const id = parseSessionId(text)
  return id ? ok(id) : fail({ code: 'EQ_NAME_INVALID', what: 'session', text })
}

function names(handles: Readonly<Record<ControlRouteName, Handle>>): readonly ControlRouteName[] {
  return Object.keys(handles).filter((name): name is ControlRouteName => name in CONTROL_ROUTES)
}
