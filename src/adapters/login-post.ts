/** Lets oauth4webapi send its requests through the one HTTP client, with its proxies and deadlines. */

import * as oauth4 from 'oauth4webapi'
import type { LoginFault } from '../domain/fault.ts'
import type { Clock, Upstream, UpstreamAnswer } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Settings } from '../domain/settings.ts'
import { MINUTE_MS, SECOND_MS } from '../domain/time.ts'
import type { LoginReply } from '../wire/login-reply.ts'
import { judgeTransport } from '../wire/transport-failure.ts'

/** What oauth4webapi is given with each request. */
export type PostOptions = oauth4.HttpRequestOptions<'POST', URLSearchParams>

/** Sends one request of oauth4webapi, and gives its answer whatever the status. */
export type LoginPost = (
  send: (options: PostOptions) => Promise<Response>,
) => Promise<Result<PostReply, LoginFault>>

export interface PostReply extends LoginReply {
  readonly host: string
  readonly headers: UpstreamAnswer['headers']
}

const TIMEOUTS: Settings['upstream'] = {
  connectTimeoutMs: 8 * SECOND_MS,
  firstByteTimeoutMs: 30 * SECOND_MS,
  idleTimeoutMs: 10 * SECOND_MS,
}
/** From the first byte that is sent to the last that is read, ms. */
const TOTAL_TIMEOUT_MS = MINUTE_MS
/** More than any answer about tokens has. */
const LARGEST_BYTES: number = 192 * 1024

/** @param url where the request goes; it has been found safe */
export function createLoginPost(
  { upstream, clock }: { readonly upstream: Upstream; readonly clock: Clock },
  url: URL,
  kind: 'form' | 'json',
): LoginPost {
  return async (send) => {
    const done = new AbortController()
    const late = new AbortController()
    let words: string | undefined
    let answered: UpstreamAnswer['headers'] = {}
    void clock.sleep(TOTAL_TIMEOUT_MS, done.signal).then(() => {
      if (!done.signal.aborted) late.abort()
    })

    const fetchThrough: NonNullable<PostOptions[typeof oauth4.customFetch]> = async (
      target,
      { headers, body },
    ) => {
      const sent = await upstream.send(
        {
          url: target,
          headers: headersOf(headers, kind),
          secretHeaders: {},
          body: kind === 'form' ? body.toString() : JSON.stringify(Object.fromEntries(body)),
          timeouts: TIMEOUTS,
        },
        late.signal,
      )
      if (sent.ok) answered = sent.value.headers
      if (sent.ok) return responseOf(sent.value)
      words = sent.fault.words
      throw new Error(words)
    }

    try {
      const response = await send({
        [oauth4.customFetch]: fetchThrough,
        ...(url.protocol === 'http:' && { [oauth4.allowInsecureRequests]: true }),
      })
      const body = await response.text()
      return ok({ status: response.status, body, host: url.host, headers: answered })
    } catch (cause) {
      const code = late.signal.aborted ? 'UND_ERR_HEADERS_TIMEOUT' : codeOf(cause)
      const said = late.signal.aborted ? undefined : words
      return fail({
        code: 'EQ_LOGIN_FAILED',
        host: url.host,
        words: said ?? judgeTransport(code, url.host).words,
      })
    } finally {
      done.abort()
    }
  }
}

/** The library would name itself as the user agent; we say who we are. */
function headersOf(
  headers: Readonly<Record<string, string>>,
  kind: 'form' | 'json',
): Readonly<Record<string, string>> {
  const { 'user-agent': _, ...kept } = headers
  return kind === 'form' ? kept : { ...kept, 'content-type': 'application/json' }
}

async function responseOf({ status, body }: UpstreamAnswer): Promise<Response> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > LARGEST_BYTES) break
    chunks.push(chunk)
  }
  const isBodiless = status === 204 || status === 205 || status === 304
  return new Response(isBodiless ? null : Buffer.concat(chunks), { status })
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : undefined
}
