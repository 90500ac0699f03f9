/**
 * A client's request goes to whoever serves its model: with nothing changed but the model's name where both speak the
 * same protocol, else translated.
 */

import type { Fault } from '../domain/fault.ts'
import type { ResolvedModel } from '../domain/models.ts'
import { modelChain, resolveText, heldTo, pinFor } from '../domain/models.ts'
import type { ProviderId } from '../domain/names.ts'
import { parseProfileId, parseSessionId, providerOf, sameModel } from '../domain/names.ts'
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
import { translateRequest } from '../wire/translate/translation.ts'
import { clientName } from './client-name.ts'
import type { Exchange, Handle } from './exchange.ts'
import { namedAgent, readBody } from './exchange.ts'
import { sentHeaders } from './passed-headers.ts'
import { relay } from './relay.ts'
import type { Route } from './routes.ts'
import type { Asked } from './translated-relay.ts'
import { relayTranslated } from './translated-relay.ts'

type ProxyApp = Pick<App, 'resolveWorld' | 'sessions' | 'dispatch' | 'clock'>

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
const RESPONSES: Door = {
  protocol: 'openai-responses',
  path: '/v1/responses',
  upstreamPath: '/responses',
}
const DOORS: readonly Door[] = [MESSAGES, CHAT_COMPLETIONS, RESPONSES]

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
    const choice = await choose(app, exchange, asked)
    if (!choice.ok) return choice

    const { head, pinned, ...chosen } = choice.value
    /** What each provider of another protocol was asked, for the way back. */
    const translated = new Map<ProviderId, Asked>()
    const served = await app.dispatch({
      ...chosen,
      ...(head && { session: head.id }),
      asked,
      client: clientName(exchange.request.headers['user-agent']),
      encode: (facts, { model }) => {
        if (!speaks(facts, door.protocol)) {
          const made = translateRequest(door.protocol, body.value, facts, model)
          if (made.ok) translated.set(facts.id, { protocol: door.protocol, ...made.value })
          return made
        }
        return ok({
          path: door.upstreamPath + exchange.search,
          headers: sentHeaders(exchange.request.headers),
          body: model === asked ? body.value : withModel(body.value, model),
        })
      },
      signal: exchange.signal,
    })
    if (!served.ok) return fail(inOwnWords(served.fault, chosen.world, door))
    const tied = head && !pinned ? keepOn(app, head, served.value) : undefined
    const question = translated.get(served.value.facts.id)
    const relayed = question
      ? await relayTranslated(exchange, served.value, question, app.clock)
      : await relay(exchange, served.value, app.clock)
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
  { request }: Exchange,
  asked: string,
): Promise<Result<Choice, Fault>> {
  const header = (name: string): string | undefined => request.headersDistinct[name]?.[0]
  const named = namedAgent(header('x-equabot-agent'))
  if (!named.ok) return named
  const loaded = await app.resolveWorld(named.value)
  if (!loaded.ok) return loaded
  const world = loaded.value

  const resolved = resolveText(world, asked)
  if (!resolved.ok) return resolved
  const held = heldToHeader(world, resolved.value, header('x-equabot-profile'))
  if (!held.ok) return held
  const primary = held.value
  const head = await namedSession(app, world, header('x-equabot-session'))
  if (!head.ok) return head
  const bound = bindPin(world, primary, head.value?.pin)
  if (!bound.ok) return bound

  const chain = modelChain(world)
  const fallbacks = chain.ok && sameModel(chain.value.primary, primary) ? chain.value.fallbacks : []
  return ok({
    world,
    models: [primary, ...fallbacks],
    ...bound.value,
    ...(head.value && { head: head.value }),
    pinned: primary.profile !== undefined,
  })
}

/** What a provider said of the request in a protocol that is not the client's is told in our own words. */
function inOwnWords(fault: Fault, world: World, { protocol }: Door): Fault {
  if (fault.code !== 'EQ_UPSTREAM_REJECTED') return fault
  const facts = world.providers.get(providerOf(fault.attempt.profile))
  return facts && !speaks(facts, protocol) ? { ...fault, body: '' } : fault
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
