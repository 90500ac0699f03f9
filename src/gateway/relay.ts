/** Passes a provider's reply on, byte for byte and no faster than the client reads. */

import { pipeline } from 'node:stream/promises'
import type { Fault } from '../domain/fault.ts'
import { formatModelKey } from '../domain/names.ts'
import { brokenOffWords } from '../domain/wording-cut.ts'
import type { Clock, UpstreamAnswer } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Served } from '../services/dispatch.ts'
import { cutFault } from '../services/dispatch.ts'
import type { Dialect } from './dialect.ts'
import { faultEvent } from './dialect.ts'
import type { Exchange } from './exchange.ts'
import { returnedHeaders } from './passed-headers.ts'

/** What the last events of a stream look like. A stream that ends without one has been cut, however politely. */
const TERMINATORS: Readonly<Record<Dialect, RegExp | undefined>> = {
  anthropic: /"type"\s*:\s*"(?:message_stop|error)"/,
  openai: /data:\s*\[DONE\]|"finish_reason"\s*:\s*"|"error"\s*:/,
  responses: /"type"\s*:\s*"(?:response\.(?:completed|incomplete|failed)|error)"/,
  control: undefined,
}

/** Enough for the last events of any dialect, bytes. */
const TAIL_BYTES = 4096

/**
 * Answers with what a provider said.
 *
 * A reply that breaks off must not look whole. A stream gets one more event that says so in the client's dialect;
 * any other reply loses its connection.
 *
 * @faults `EQ_UPSTREAM_CUT`, `EQ_GATEWAY_STOPPING`, `EQ_REQUEST_CANCELLED`; the client has been told
 */
export async function relay(
  exchange: Exchange,
  served: Served,
  clock: Clock,
): Promise<Result<void, Fault>> {
  const { response, dialect, requestId, signal, ending } = exchange
  const streams = isReadableStream(served.answer.headers)
  let fault: Fault | undefined

  async function* bytes(): AsyncGenerator<Uint8Array | string, void> {
    let tail: Buffer = Buffer.alloc(0)
    try {
      for await (const chunk of served.answer.body) {
        if (streams) tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES)
        yield chunk
      }
      if (!streams || TERMINATORS[dialect]?.test(tail.toString()) !== false) return
      fault = cutFault(served, 'the stream has no last event')
    } catch (cause) {
      if (signal.aborted && !ending.aborted) throw cause
      fault = ending.aborted ? ending.fault : cutFault(served, brokenOffWords(codeOf(cause)))
      if (!streams) throw cause
    }
    // Ends whatever event was cut in the middle.
    yield `\n\n${faultEvent(fault, dialect, requestId, clock.now())}`
  }

  response.writeHead(served.answer.status, {
    ...returnedHeaders(served.answer.headers),
    ...servedHeaders(served),
  })
  response.flushHeaders()
  try {
    await pipeline(bytes(), response)
  } catch {
    // The client is gone, or its connection was ended because a reply broke off.
    fault ??= { code: 'EQ_REQUEST_CANCELLED' }
  }
  return fault ? fail(fault) : ok()
}

/** Who served the client's request, and after how many attempts. */
export function servedHeaders(served: Served): Readonly<Record<string, string | number>> {
  return {
    'x-equabot-profile': served.candidate.id,
    'x-equabot-model': formatModelKey(served.model),
    'x-equabot-attempts': served.attempts.length + 1,
    'x-equabot-lane': served.candidate.lane,
    // We have asked again already; a client that does so too would multiply the load.
    ...(served.attempts.length > 0 && { 'x-should-retry': 'false' }),
  }
}

/** Server-sent events that can be read as they pass; compressed ones are as opaque as any other body. */
function isReadableStream(headers: UpstreamAnswer['headers']): boolean {
  const isStream = String(headers['content-type']).startsWith('text/event-stream')
  return isStream && headers['content-encoding'] === undefined
}

/** The message of an error may quote what was sent; its code cannot. */
function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
}
