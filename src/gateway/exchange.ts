/** One request and its answer, as the routes see them. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from '../domain/client.ts'
import type { Fault } from '../domain/fault.ts'
import type { AgentId } from '../domain/names.ts'
import { parseAgentId } from '../domain/names.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Dialect } from './dialect.ts'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  /** Query string with its question mark; empty when there is none. */
  readonly search: string
  /** What stands in the path where the route has a parameter. */
  readonly parameters: Readonly<Record<string, string>>
  readonly dialect: Dialect
  /** Who asks; on an open route nobody has looked, and it is whoever. */
  readonly caller: Caller
  readonly requestId: string
  /** Aborts when the caller is gone, and when `ending` does. */
  readonly signal: AbortSignal
  /** Aborts when the gateway begins to stop: what has no end of its own ends now. */
  readonly draining: AbortSignal
  /** Whether the gateway itself has ended this reply, and why. */
  readonly ending: Ending
  /** Largest request body, bytes. */
  readonly maxBodyBytes: number
  /** How long it may pause, ms. */
  readonly bodyIdleMs: number
}

export interface Ending {
  readonly aborted: boolean
  /** `EQ_GATEWAY_STOPPING` unless something else was the reason. */
  readonly fault: Fault
}

/**
 * Answers a request. A fault before the first byte of the answer is told by the server; one after it has been told by
 * whoever gives it here, and is only logged.
 */
export type Handle = (exchange: Exchange) => Promise<Result<void, Fault>>

export function sendJson({ response }: Exchange, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value))
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
  })
  response.end(body)
}

/**
 * The whole body of a request.
 *
 * @faults `EQ_REQUEST_ENCODING`, `EQ_REQUEST_TOO_LARGE`, `EQ_REQUEST_IDLE`, `EQ_REQUEST_CANCELLED`
 */
export async function readBody({
  request,
  response,
  maxBodyBytes,
  bodyIdleMs,
}: Pick<Exchange, 'request' | 'response' | 'maxBodyBytes' | 'bodyIdleMs'>): Promise<
  Result<Buffer, Fault>
> {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') return fail({ code: 'EQ_REQUEST_ENCODING', encoding })
  const tooLarge: Fault = { code: 'EQ_REQUEST_TOO_LARGE', maxBytes: maxBodyBytes }
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) return fail(tooLarge)
  // It may have gone while its key was looked at, and would not go again.
  if (request.destroyed) return fail({ code: 'EQ_REQUEST_CANCELLED' })
  // Whoever waits to be asked for the body is asked now that its sender is known.
  if (request.headers.expect !== undefined) response.writeContinue()

  const body = new Promise<Result<Buffer, Fault>>((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      // The rest is read and dropped, so that the caller sees the answer instead of a reset connection.
      if (size > maxBodyBytes) {
        chunks.length = 0
        resolve(fail(tooLarge))
      } else chunks.push(chunk)
    })
    request.on('end', () => resolve(ok(Buffer.concat(chunks))))
    request.on('close', () => resolve(fail({ code: 'EQ_REQUEST_CANCELLED' })))
    request.on('error', () => resolve(fail({ code: 'EQ_REQUEST_CANCELLED' })))
    request.setTimeout(bodyIdleMs, () => {
      // What comes later would be taken for the next request.
      response.shouldKeepAlive = false
      resolve(fail({ code: 'EQ_REQUEST_IDLE', waitedMs: bodyIdleMs }))
    })
  })
  const read = await body
  // From here on the caller waits for us.
  request.setTimeout(0)
  return read
}

/** An agent named by a caller; undefined where none is. @faults `EQ_NAME_INVALID` */
export function namedAgent(text: string | undefined): Result<AgentId | undefined, Fault> {
  if (text === undefined) return ok(undefined)
  const agent = parseAgentId(text)
  return agent ? ok(agent) : fail({ code: 'EQ_NAME_INVALID', what: 'agent', text })
}
