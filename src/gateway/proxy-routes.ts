/** The pass-through: a client's request goes to whoever serves its model, with nothing changed but the model's name. */

import { agentFor, checkModel, mayUse, worldFor } from '../domain/client.ts'
import type { Fault } from '../domain/fault.ts'
import type { ResolvedModel } from '../domain/models.ts'
import { modelChain, resolveText, heldTo, pinFor } from '../domain/models.ts'
import { formatModelKey, parseProfileId, parseSessionId, sameModel } from '../domain/names.ts'
import type { BoundPin } from '../domain/pins.ts'
import { bindPin, pinAfter } from '../domain/pins.ts'
import type { SessionHead } from '../domain/ports.ts'
import type { Protocol } from '../domain/provider.ts'
import { speaks } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { World } from '../domain/world.ts'
import type { App } from '../services/app.ts'
import type { Served } from '../services/dispatch.ts'
import { peekRequest, withModel } from '../wire/request-peek.ts'
import { callerName } from './client-name.ts'
import type { Exchange, Handle } from './exchange.ts'
import { namedAgent, readBody } from './exchange.ts'
import { sentHeaders } from './passed-headers.ts'
import { relay } from './relay.ts'
import type { Route } from './routes.ts'

type ProxyApp = Pick<App, 'resolveWorld' | 'sessions' | 'dispatch' | 'clock' | 'clients'>

interface Door {
  readonly protocol: Protocol
  readonly path: string
  /** Under a provider's base URL. */
  readonly upstreamPath: string
}

const MESSAGES: Door = {
  protocol: 'anthropic-messages',
  path: '/v1/messages',
  upstreamPath: '/v1/messages',
}
const CHAT_COMPLETIONS: Door = {
  protocol: 'openai-chat',
  path: '/v1/chat/completions',
  upstreamPath: '/chat/completions',
}
const DOORS: readonly Door[] = [MESSAGES, CHAT_COMPLETIONS]

export function proxyRoutes(app: ProxyApp): readonly Route[] {
  return DOORS.map((door) => ({ method: 'POST', path: door.path, handle: passThrough(app, door) }))
}

function passThrough(app: ProxyApp, door: Door): Handle {
  return async function handle(exchange) {
    const body = await readBody(exchange)
    if (!body.ok) return body
    const peeked = peekRequest(body.value)
    if (!peeked.ok) return fail({ code: 'EQ_REQUEST_BODY', ...peeked.fault })
    const asked = peeked.value.model
    const choice = await choose(app, door, exchange, asked)
    if (!choice.ok) return choice

    const { head, pinned, ...chosen } = choice.value
    const served = await app.dispatch({
      ...chosen,
      ...(head && { session: head.id }),
      asked,
      client: callerName(exchange, app.clients),
      encode: (_facts, { model }) =>
        ok({
          path: door.upstreamPath + exchange.search,
          headers: sentHeaders(exchange.request.headers),
          body: model === asked ? body.value : withModel(body.value, model),
        }),
      signal: exchange.signal,
    })
    if (!served.ok) return served
    const tied = head && !pinned ? keepOn(app, head, served.value) : undefined
    const relayed = await relay(exchange, served.value, app.clock)
    // A session that could not be written is only less sure of its prompt cache.
    await tied
    return relayed
  }
}

interface Choice extends BoundPin {
  readonly world: World
  readonly models: readonly ResolvedModel[]
  /** The session that a header names. */
  readonly head?: SessionHead
  /** The request itself names its credential. */
  readonly pinned: boolean
}

/** Whoever served the session keeps it, unless it is tied to another provider's already. */
function keepOn(app: ProxyApp, head: SessionHead, served: Served): Promise<unknown> | undefined {
  const { pin } = head
  const kept = pinAfter(pin, served, served.wanted)
  if (!kept || kept === pin || (pin && !pinFor(served.wanted, pin.profile))) return undefined
  return app.sessions.update(head.agent, head.id, (latest = head) =>
    latest.pin?.source === 'user' ? latest : { ...latest, pin: kept },
  )
}

/** Fallbacks stand in for the agent's default model only: who asked for another one wants that one. */
async function choose(
  app: ProxyApp,
  door: Door,
  { request, caller }: Exchange,
  asked: string,
): Promise<Result<Choice, Fault>> {
  const header = (name: string): string | undefined => request.headersDistinct[name]?.[0]
  const named = namedAgent(header('x-equabot-agent'))
  if (!named.ok) return named
  const agent = agentFor(caller, named.value)
  if (!agent.ok) return agent
  const loaded = await app.resolveWorld(agent.value)
  if (!loaded.ok) return loaded
  const world = worldFor(caller, loaded.value)

  const resolved = resolveText(world, asked)
  if (!resolved.ok) return resolved
  const held = heldToHeader(world, resolved.value, header('x-equabot-profile'))
  if (!held.ok) return held
  const primary = held.value
  const allowed = checkModel(caller, world, primary)
  if (!allowed.ok) return allowed
  const spoken = checkProtocol(world, primary, door)
  if (!spoken.ok) return spoken
  const head = await namedSession(app, world, header('x-equabot-session'))
  if (!head.ok) return head
  const bound = bindPin(world, primary, head.value?.pin)
  if (!bound.ok) return bound

  const chain = modelChain(world)
  const fallbacks =
    chain.ok && sameModel(chain.value.primary, primary)
      ? chain.value.fallbacks.filter(
          (model) => mayUse(caller, world, model) && checkProtocol(world, model, door).ok,
        )
      : []
  return ok({
    world,
    models: [primary, ...fallbacks],
    ...bound.value,
    ...(head.value && { head: head.value }),
    pinned: primary.profile !== undefined,
  })
}

function checkProtocol(world: World, model: ResolvedModel, door: Door): Result<void, Fault> {
  const facts = world.providers.get(model.provider)
  if (!facts || speaks(facts, door.protocol)) return ok()
  const other = DOORS.find(({ protocol }) => speaks(facts, protocol))
  return fail({
    code: 'EQ_REQUEST_PROTOCOL',
    model: formatModelKey(model),
    asked: door.protocol,
    spoken: facts.protocol,
    path: other?.path ?? '/api/chat',
  })
}

/** The model held to the profile that a header names, if one does. */
function heldToHeader(
  world: World,
  model: ResolvedModel,
  text: string | undefined,
): Result<ResolvedModel, Fault> {
  if (text === undefined) return ok(model)
  const profile = parseProfileId(text)
  if (!profile) return fail({ code: 'EQ_NAME_INVALID', what: 'profile', text })
  return heldTo(world, model, profile)
}

/** The session that a header names, if one does. */
async function namedSession(
  app: ProxyApp,
  world: World,
  text: string | undefined,
): Promise<Result<SessionHead | undefined, Fault>> {
  if (text === undefined) return ok(undefined)
  const id = parseSessionId(text)
  if (!id) return fail({ code: 'EQ_NAME_INVALID', what: 'session', text })
  const head = await app.sessions.read(world.agent, id)
  if (!head.ok) return head
  if (head.value) return ok(head.value)
  return fail({ code: 'EQ_SESSION_UNKNOWN', session: id, agent: world.agent })
}
