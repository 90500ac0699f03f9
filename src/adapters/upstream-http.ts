/**
 * Sends requests to providers. Bytes and headers pass as they are: nothing is decompressed, retried or redirected.
 *
 * The HTTP client is loaded by the first request, so that commands that send none do not pay for it.
 */

import type { UpstreamFailure } from '../domain/cooldown.ts'
import type { Upstream, UpstreamAnswer, UpstreamRequest } from '../domain/ports.ts'
import { SANDBOX_ORIGIN } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { cancelledFailure, judgeTransport } from '../wire/transport-failure.ts'
import type { HttpClient } from './http-client.ts'

export interface UpstreamDeps {
  /** Sent where a request names none. */
  readonly userAgent: string
  /** `https_proxy`, `http_proxy` and `no_proxy`, in either case. Loopback hosts are never asked for through a proxy. */
  readonly proxyVariables?: ReadonlyMap<string, string>
  /** Starts the sandbox when it is first asked for, and gives its origin. */
  readonly sandboxOrigin?: () => Promise<string>
}

export interface ClosableUpstream extends Upstream {
  /** The client behind it, for what is not a model request. Rejects with the client's own error. */
  exchange: HttpClient['exchange']
  /** The real address behind a provider's: the sandbox's is not known before it listens. */
  locate(url: string): Promise<URL>
  /** Ends every connection at once. */
  close(): Promise<void>
}

export function createUpstream(deps: UpstreamDeps): ClosableUpstream {
  let client: Promise<HttpClient> | undefined

  function loadClient(): Promise<HttpClient> {
    client ??= import('./http-client.ts').then(({ createHttpClient }) =>
      createHttpClient(deps.proxyVariables ?? new Map()),
    )
    return client
  }

  async function locate(url: string): Promise<URL> {
    const asked = new URL(url)
    if (asked.origin !== SANDBOX_ORIGIN || !deps.sandboxOrigin) return asked
    return new URL(asked.pathname + asked.search, await deps.sandboxOrigin())
  }

  return {
    async send(request, signal): Promise<Result<UpstreamAnswer, UpstreamFailure>> {
      const host = hostOf(request.url)
      if (signal.aborted) return fail(cancelledFailure(host))
      try {
        const url = await locate(request.url)
        const headers = { ...withUserAgent(request.headers, deps.userAgent), ...revealed(request) }
        const { exchange } = await loadClient()
        return ok(await exchange({ ...request, url, headers }, signal))
      } catch (cause) {
        if (signal.aborted) return fail(cancelledFailure(host))
        const code = codeOf(cause)
        // What a network does bears a code; a TypeError without one is our own mistake.
        if (code === undefined && cause instanceof TypeError) throw cause
        return fail(judgeTransport(code, host))
      }
    },

    exchange: async (request, signal) => (await loadClient()).exchange(request, signal),
    locate,

    async close(): Promise<void> {
      await (await client)?.close()
    },
  }
}

function revealed({ secretHeaders }: UpstreamRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(secretHeaders).map(([name, secret]) => [name, secret.reveal()]),
  )
}

function withUserAgent(
  headers: UpstreamRequest['headers'],
  userAgent: string,
): Readonly<Record<string, string>> {
  const named = Object.keys(headers).some((name) => name.toLowerCase() === 'user-agent')
  return named ? headers : { ...headers, 'user-agent': userAgent }
}

/** The host for people to read; credentials in an address are left out. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is not a URL'
}

/** The code of the innermost error that bears one; what the outer ones say may quote the request. */
export function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  if (cause instanceof AggregateError && !('code' in cause)) return codeOf(cause.errors[0])
  const inner = codeOf(cause.cause)
  if (inner !== undefined) return inner
  // undici leaves the code out of some of its errors about malformed answers.
  if (cause.name === 'HTTPParserError') return 'HPE_INVALID'
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
}
