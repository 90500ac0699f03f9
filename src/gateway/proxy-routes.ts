/**
 * A client's request goes to whoever serves its model: with nothing changed but the model's name where both speak the
 * same protocol, else translated.
 */

import { agentFor, checkModel, mayUse, worldFor } from '../domain/client.ts'
import type { Fault } from '../domain/fault.ts'
import type { ResolvedModel } from '../domain/models.ts'
import { modelChain, resolveText, heldTo, pinFor } from '../domain/models.ts'
import type { ProviderId, SessionId } from '../domain/names.ts'
import { parseProfileId, parseSessionId, providerOf, sameModel } from '../domain/names.ts'
import type { BoundChain } from '../domain/pins.ts'
import { bindChain, pinAfter } from '../domain/pins.ts'
import type { SessionHead } from '../domain/ports.ts'
import type { Protocol } from '../domain/provider.ts'
import { speaks } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { newSession } from '../domain/session.ts'
import type { World } from '../domain/world.ts'
import type { App } from '../services/app.ts'
import type { Served } from '../services/dispatch.ts'
import { peekRequest, withModel } from '../wire/request-peek.ts'
import { translateRequest } from '../wire/translate/translation.ts'
import { callerName } from './client-name.ts'
import type { Exchange, Handle } from './exchange.ts'
import { namedAgent, readBody } from './exchange.ts'
import { sentHeaders } from './passed-headers.ts'
import { relay } from './relay.ts'
import type { Route } from './routes.ts'
import type { Asked } from './translated-relay.ts'
import { relayTranslated } from './translated-relay.ts'

type ProxyApp = Pick<App, 'resolveWorld' | 'sessions' | 'dispatch' | 'clock'> &
  Partial<Pick<App, 'refused'>> & { readonly clients: Pick<App['clients'], 'isTaken'> }

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
    const at = app.clock.now()
    const client = callerName(exchange, app.clients)
    const loaded = await namedWorld(app, exchange)
    const choice = loaded.ok ? await choose(app, exchange, asked, loaded.value) : loaded
    if (!choice.ok) {
      const of = loaded.ok ? { agent: loaded.value.agent } : {}
      app.refused?.({ at, ...of, ...sessionOf(exchange), client, asked, fault: choice.fault })
      return choice
    }

    const { head, isNew: _, pinned: __, ...chosen } = choice.value
    /** What each provider of another protocol was asked, for the way back. */
    const translated = new Map<ProviderId, Asked>()
    const served = await app.dispatch({
      ...chosen,
      ...(head && { session: head.id }),
      asked,
      client,
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
    const tied = keepSession(app, choice.value, served.value)
    const question = translated.get(served.value.facts.id)
    const relayed = question
      ? await relayTranslated(exchange, served.value, question, app.clock)
      : await relay(exchange, served.value, app.clock)
    // A session that could not be written is only less sure of its prompt cache.
    await tied
    return relayed
  }
}

interface Choice extends BoundChain {
  readonly world: World
  /** The session that a header names. */
  readonly head?: SessionHead
  /** It begins with this request, once that is served. */
  readonly isNew: boolean
  /** The request itself names its credential. */
  readonly pinned: boolean
}

/**
 * A new session begins. Whoever served it keeps it, unless it is tied to another provider's already, or the request named
 * its credential.
 */
function keepSession(
  app: ProxyApp,
  { head, isNew, pinned }: Choice,
  served: Served,
): Promise<unknown> | undefined {
  if (!head) return undefined
  const { pin } = head
  const kept = pinAfter(pin, served, served.wanted)
  const stays = pinned || !kept || kept === pin || (pin && !pinFor(served.wanted, pin.profile))
  if (stays && !isNew) return undefined
  return app.sessions.update(head.agent, head.id, (latest = head) =>
    stays || latest.pin?.source === 'user' ? latest : { ...latest, pin: kept },
  )
}

/** The world of the agent that a header names, else of the default one. */
async function namedWorld(
  app: ProxyApp,
  { request, caller }: Exchange,
): Promise<Result<World, Fault>> {
  const named = namedAgent(request.headersDistinct['x-equabot-agent']?.[0])
  if (!named.ok) return named
  const agent = agentFor(caller, named.value)
  if (!agent.ok) return agent
  const loaded = await app.resolveWorld(agent.value)
  return loaded.ok ? ok(worldFor(caller, loaded.value)) : loaded
}

function sessionOf({ request }: Exchange): { readonly session?: SessionId } {
  const session = parseSessionId(request.headersDistinct['x-equabot-session']?.[0] ?? '')
  return session ? { session } : {}
}

/** Fallbacks stand in for the agent's default model only: who asked for another one wants that one. */
async function choose(
  app: ProxyApp,
  { request, caller }: Exchange,
  asked: string,
  world: World,
): Promise<Result<Choice, Fault>> {
  const header = (name: string): string | undefined => request.headersDistinct[name]?.[0]
  const resolved = resolveText(world, asked)
  if (!resolved.ok) return resolved
  const held = heldToHeader(world, resolved.value, header('x-equabot-profile'))
  if (!held.ok) return held
  const primary = held.value
  const allowed = checkModel(caller, world, primary)
  if (!allowed.ok) return allowed
  const session = await namedSession(app, world, header('x-equabot-session'))
  if (!session.ok) return session
  const { head, isNew } = session.value
  const chain = modelChain(world)
  const fallbacks =
    chain.ok && sameModel(chain.value.primary, primary)
      ? chain.value.fallbacks.filter((model) => mayUse(caller, world, model))
      : []
  const bound = bindChain(world, [primary, ...fallbacks], head?.pin)
  if (!bound.ok) return bound
  return ok({
    world,
    ...bound.value,
    ...(head && { head }),
    isNew,
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

/** The session that a header names, if one does. A program gives its sessions names of its own, so any good one will do. */
async function namedSession(
  app: ProxyApp,
  world: World,
  text: string | undefined,
): Promise<Result<Pick<Choice, 'head' | 'isNew'>, Fault>> {
  if (text === undefined) return ok({ isNew: false })
  const id = parseSessionId(text)
  if (!id) return fail({ code: 'EQ_NAME_INVALID', what: 'session', text })
  const head = await app.sessions.read(world.agent, id)
  if (!head.ok) return head
  return ok({
    head: head.value ?? newSession(world.agent, id, world.now),
    isNew: head.value === undefined,
  })
}
