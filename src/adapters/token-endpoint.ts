/**
 * Sends a refresh token to its provider's token endpoint: once, whole, to the one address it is for.
 *
 * What matters is where an exchange ended. Nothing of the request is written before the connection stands (name,
 * TCP, TLS, proxy) and the caller has agreed; from then on every outcome but an answer is "lost".
 */

import { Readable } from 'node:stream'

import type {
  RawAnswer,
  TokenEndpoint,
  TokenExchange,
  TokenRequest,
} from '../domain/renewal-ports.ts'
import { Secret } from '../domain/secret.ts'
import { BODY_BYTES } from '../wire/grant-journal.ts'
import { safeWords } from '../wire/safe-words.ts'
import { judgeTransport } from '../wire/transport-failure.ts'
import type { UpstreamAnswer } from '../domain/ports.ts'
import type { HttpRequest } from './http-client.ts'
import { codeOf } from './upstream-http.ts'

interface Deps {
  readonly userAgent: string
  /** The program's one HTTP client. Rejects when no answer comes. */
  readonly exchange: (request: HttpRequest, signal: AbortSignal) => Promise<UpstreamAnswer>
  /** The real address behind a provider's, for the sandbox. */
  readonly locate: (url: string) => Promise<URL>
}

/** Headers of an answer that a verdict may need. */
const KEPT_HEADERS = [
  'content-type',
  'content-encoding',
  'retry-after',
  'retry-after-ms',
  'date',
] as const

export function createTokenEndpoint(deps: Deps): TokenEndpoint {
  return {
    async redeem(request, beforeSend) {
      const { tokenUrl } = request.oauth
      if (!isSafeUrl(tokenUrl)) {
        return { kind: 'not_sent', reason: 'unsafe_url', words: 'the address is not https' }
      }
      return redeemAt(deps, await deps.locate(tokenUrl), request, beforeSend)
    },
  }
}

/** https, or this machine itself. @source RFC 6749 3.2; loopback is for servers under test */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (username !== '' || password !== '') return false
  if (protocol === 'https:') return true
  const isLoopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|sandbox\.invalid)$/.test(hostname)
  return protocol === 'http:' && isLoopback
}

async function redeemAt(
  deps: Deps,
  url: URL,
  request: TokenRequest,
  beforeSend: () => Promise<boolean>,
): Promise<TokenExchange> {
  const { type, bytes } = bodyOf(request)
  const progress: { phase: 'before' | 'held_back' | 'sent' } = { phase: 'before' }
  const deadline = new AbortController()
  // A proxy that takes the connection and says nothing would hold us as long as it likes.
  let timer = setTimeout(() => deadline.abort(), 2 * request.connectTimeoutMs)

  async function* body(): AsyncGenerator<Uint8Array> {
    clearTimeout(timer)
    // Whoever has been told that nothing was sent must stay right.
    if (deadline.signal.aborted || !(await beforeSend())) {
      progress.phase = 'held_back'
      throw new Error('held back')
    }
    progress.phase = 'sent'
    timer = setTimeout(() => deadline.abort(), request.totalTimeoutMs)
    yield bytes
  }

  try {
    const exchanged = deps.exchange(
      {
        url,
        headers: {
          'user-agent': deps.userAgent,
          accept: 'application/json',
          'accept-encoding': 'identity',
          'content-type': type,
          'content-length': String(bytes.length),
        },
        body: Readable.from(body(), { objectMode: false }),
        timeouts: {
          connectTimeoutMs: request.connectTimeoutMs,
          firstByteTimeoutMs: request.totalTimeoutMs,
          idleTimeoutMs: request.stallTimeoutMs,
        },
      },
      deadline.signal,
    )
    // The client hears of the deadline late while it waits for a proxy.
    const answer = await Promise.race([exchanged, refusedAt(deadline.signal)])
    // An answer before the request was sent is an answer to nothing, such as a proxy's.
    if (progress.phase !== 'sent') return notSent('something answered before it was asked')
    return { kind: 'answered', answer: await readAnswer(answer) }
  } catch (cause) {
    if (progress.phase === 'held_back') return { kind: 'held_back' }
    const words = deadline.signal.aborted
      ? `${url.host} did not answer in time`
      : judgeTransport(codeOf(cause), url.host).words
    return progress.phase === 'sent' ? { kind: 'lost', words: safeWords(words) } : notSent(words)
  } finally {
    clearTimeout(timer)
  }
}

function refusedAt(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('too late')), { once: true })
  })
}

function notSent(words: string): TokenExchange {
  return { kind: 'not_sent', reason: 'network', words: safeWords(words) }
}

/** Everything that came, even when the end is missing: the part may hold the whole of what matters. */
async function readAnswer(answer: UpstreamAnswer): Promise<RawAnswer> {
  const chunks: Uint8Array[] = []
  let length = 0
  let complete = true
  try {
    for await (const chunk of answer.body) {
      chunks.push(chunk.subarray(0, BODY_BYTES - length))
      length += chunk.length
      if (length > BODY_BYTES) {
        complete = false
        break
      }
    }
  } catch {
    complete = false
  }
  const headers = Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => {
      const value = answer.headers[name]
      return typeof value === 'string' ? [[name, value.slice(0, 200)]] : []
    }),
  )
  return { status: answer.status, headers, body: new Uint8Array(Buffer.concat(chunks)), complete }
}

function bodyOf({ oauth, fields }: TokenRequest): {
  readonly type: string
  readonly bytes: Uint8Array
} {
  const plain = Object.entries(fields).map(([name, value]): [string, string] => [
    name,
    value instanceof Secret ? value.reveal() : value,
  ])
  return oauth.body === 'json'
    ? {
        type: 'application/json',
        bytes: Buffer.from(JSON.stringify(Object.fromEntries(plain))),
      }
    : {
        type: 'application/x-www-form-urlencoded',
        bytes: Buffer.from(new URLSearchParams(plain).toString()),
      }
}
