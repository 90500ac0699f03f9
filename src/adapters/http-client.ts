/**
 * HTTP by undici. Loaded by the first request through `upstream-http.ts`; nothing else imports it.
 *
 * A file of its own, because a bundler turns `import('undici')` itself, a CommonJS package, into a module without names.
 */

import type { Readable } from 'node:stream'

import type { Dispatcher } from 'undici'
import { Agent, EnvHttpProxyAgent, request as send } from 'undici'
import type { UpstreamAnswer, UpstreamRequest } from '../domain/ports.ts'
import { isLoopback } from '../wire/secure-url.ts'

/** A request whose place and headers are settled. */
export interface HttpRequest extends Pick<UpstreamRequest, 'timeouts'> {
  readonly url: URL
  /** A stream is asked for its first bytes when the connection stands, and nothing is sent before it gives them. */
  readonly body?: Uint8Array | string | Readable
  readonly headers: Readonly<Record<string, string>>
}

export interface HttpClient {
  /** Rejects with undici's own error when no answer comes. */
  exchange(request: HttpRequest, signal: AbortSignal): Promise<UpstreamAnswer>
  /** Ends every connection at once. */
  close(): Promise<void>
}

/**
 * @param proxyVariables `https_proxy`, `http_proxy` and `no_proxy`, in either case. undici would fall back on the
 *   environment, so all three of its values are always given.
 */
export function createHttpClient(proxyVariables: ReadonlyMap<string, string>): HttpClient {
  const dispatchers = new Map<string, Dispatcher>()

  function dispatcherFor(url: URL, connectTimeoutMs: number): Dispatcher {
    const direct = isLoopback(url.hostname)
    const key = `${direct ? 'direct' : 'proxied'} ${connectTimeoutMs}`
    const known = dispatchers.get(key)
    if (known) return known
    const options = { connect: { timeout: connectTimeoutMs } }
    const made = direct
      ? new Agent(options)
      : new EnvHttpProxyAgent({ ...options, ...proxiesOf(proxyVariables) })
    dispatchers.set(key, made)
    return made
  }

  return {
    async exchange({ url, headers, body, timeouts }, signal) {
      const answer = await send(url, {
        method: 'POST',
        headers,
        ...(body !== undefined && { body }),
        dispatcher: dispatcherFor(url, timeouts.connectTimeoutMs),
        headersTimeout: timeouts.firstByteTimeoutMs,
        bodyTimeout: timeouts.idleTimeoutMs,
        signal,
      })
      // A cut before anybody reads must wait for the reader; without a listener it would end the process.
      answer.body.on('error', () => undefined)
      return {
        status: answer.statusCode,
        headers: definedHeaders(answer.headers),
        body: answer.body,
      }
    },

    async close() {
      const open = [...dispatchers.values()]
      dispatchers.clear()
      await Promise.all(open.map((dispatcher) => dispatcher.destroy()))
    },
  }
}

function proxiesOf(variables: ReadonlyMap<string, string>): {
  readonly httpProxy: string
  readonly httpsProxy: string
  readonly noProxy: string
} {
  const either = (name: string): string =>
    variables.get(name) ?? variables.get(name.toUpperCase()) ?? ''
  return {
    httpProxy: either('http_proxy'),
    httpsProxy: either('https_proxy'),
    noProxy: either('no_proxy'),
  }
}

function definedHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): UpstreamAnswer['headers'] {
  const defined: Record<string, string | readonly string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) defined[name.toLowerCase()] = value
  }
  return defined
}
