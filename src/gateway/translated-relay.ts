/** Answers with what a provider said in another protocol than the client's. */

import { pipeline } from 'node:stream/promises'
import type { UpstreamFailure } from '../domain/cooldown.ts'
import type { Fault } from '../domain/fault.ts'
import type { ReplyWish } from '../domain/neutral.ts'
import { formatModelKey } from '../domain/names.ts'
import type { Clock, UpstreamAnswer } from '../domain/ports.ts'
import type { Protocol } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { SECOND_MS } from '../domain/time.ts'
import { failedAttempt } from '../services/attempt.ts'
import type { Served } from '../services/dispatch.ts'
import { cutFault } from '../services/dispatch.ts'
import type { ReplyContext } from '../wire/translate/replies.ts'
import { translateStream, translateWhole } from '../wire/translate/translation.ts'
import { faultEvent } from './dialect.ts'
import type { Exchange } from './exchange.ts'
import { returnedHeaders } from './passed-headers.ts'
import { servedHeaders } from './relay.ts'

/** What was asked for in the client's protocol, and what of it the model was not told. */
export interface Asked {
  readonly protocol: Protocol
  readonly wish: ReplyWish
  readonly dropped: readonly string[]
}

/**
 * As `relay`, with the reply put into the client's protocol. Nothing is held back of a stream, and it is read no faster
 * than the client reads; any other reply is read whole first, so that one that broke off is told of with a status.
 *
 * @faults `EQ_UPSTREAM_CUT`, `EQ_UPSTREAM_REJECTED`, `EQ_GATEWAY_STOPPING`, `EQ_REQUEST_CANCELLED`, of a whole reply
 * `EQ_UPSTREAM_UNREADABLE` too
 */
export function relayTranslated(
  exchange: Exchange,
  served: Served,
  asked: Asked,
  clock: Clock,
): Promise<Result<void, Fault>> {
  const context: ReplyContext = {
    id: exchange.requestId.replace(/[^\w-]/g, '_'),
    model: served.model.model,
    createdSeconds: Math.floor(clock.now() / SECOND_MS),
    wish: asked.wish,
  }
  return asked.wish.stream
    ? sendStream(exchange, served, asked, clock, context)
    : sendWhole(exchange, served, asked, context)
}

async function sendWhole(
  { response, signal, ending }: Exchange,
  served: Served,
  asked: Asked,
  context: ReplyContext,
): Promise<Result<void, Fault>> {
  const way = { source: asked.protocol, target: served.facts.protocol }
  let whole: Awaited<ReturnType<typeof translateWhole>>
  try {
    whole = await translateWhole(way, served.answer, context)
  } catch (cause) {
    return fail(brokenFault(served, cause, { signal, ending }))
  }
  if (!whole.ok) {
    return whole.fault.kind === 'failed'
      ? fail(rejectedFault(served, whole.fault.failure))
      : fail({
          code: 'EQ_UPSTREAM_UNREADABLE',
          profile: served.candidate.id,
          model: formatModelKey(served.model),
          problem: whole.fault.problem,
        })
  }
  const body = Buffer.from(whole.value)
  response.writeHead(served.answer.status, {
    ...translatedHeaders(served, asked),
    'content-type': 'application/json',
    'content-length': body.length,
  })
  response.end(body)
  return ok()
}

async function sendStream(
  exchange: Exchange,
  served: Served,
  asked: Asked,
  clock: Clock,
  context: ReplyContext,
): Promise<Result<void, Fault>> {
  const { response, dialect, requestId, signal, ending } = exchange
  const way = { source: asked.protocol, target: served.facts.protocol }
  let fault: Fault | undefined

  async function* texts(): AsyncGenerator<string, void> {
    try {
      yield* translateStream(way, served.answer, context, (failure) => {
        fault = rejectedFault(served, failure)
      })
    } catch (cause) {
      if (signal.aborted && !ending.aborted) throw cause
      fault = brokenFault(served, cause, { signal, ending })
    }
    if (fault) yield faultEvent(fault, dialect, requestId, clock.now())
  }

  response.writeHead(served.answer.status, {
    ...translatedHeaders(served, asked),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  })
  response.flushHeaders()
  try {
    await pipeline(texts(), response)
  } catch {
    // The client is gone.
    fault ??= { code: 'EQ_REQUEST_CANCELLED' }
  }
  return fault ? fail(fault) : ok()
}

/** What a provider's headers say of a body that the client does not get. */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  'accept-ranges',
  'cache-control',
  'content-digest',
  'content-encoding',
  'content-length',
  'content-type',
  'digest',
  'etag',
  'last-modified',
  'repr-digest',
])

/** Most names that a header lists. */
const MOST_DROPPED = 20

function translatedHeaders(
  served: Served,
  { dropped }: Asked,
): Readonly<Record<string, string | number | readonly string[]>> {
  const headers: UpstreamAnswer['headers'] = Object.fromEntries(
    Object.entries(served.answer.headers).filter(([name]) => !OF_THE_BODY.has(name)),
  )
  // A caller's own spelling of a name is not said back to it in a header.
  const names = dropped.filter((name) => /^[a-z_.]{1,60}$/.test(name)).slice(0, MOST_DROPPED)
  return {
    ...(returnedHeaders(headers) as Record<string, string | readonly string[]>),
    ...servedHeaders(served),
    ...(names.length > 0 && { 'x-equabot-dropped': names.join(', ') }),
  }
}

/** The provider's own error where its reply, or the rest of it, should be. */
function rejectedFault(served: Served, failure: UpstreamFailure): Fault {
  return { code: 'EQ_UPSTREAM_REJECTED', attempt: failedAttempt(served, failure), body: '' }
}

function brokenFault(
  served: Served,
  cause: unknown,
  { signal, ending }: Pick<Exchange, 'signal' | 'ending'>,
): Fault {
  if (ending.aborted) return { code: 'EQ_GATEWAY_STOPPING' }
  if (signal.aborted) return { code: 'EQ_REQUEST_CANCELLED' }
  return cutFault(served, brokenWords(cause))
}

/** The words of our own decoders; those of a connection may quote what was sent, so its code must do. */
function brokenWords(cause: unknown): string {
  if (!(cause instanceof Error)) return 'connection lost'
  return 'code' in cause ? String(cause.code) : cause.message
}
