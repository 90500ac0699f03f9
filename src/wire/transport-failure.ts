/** What it means that no answer came, from the code of the error that Node or undici gives. */

import type { FailureReason, UpstreamFailure } from '../domain/cooldown.ts'

interface TransportRule {
  readonly codes: RegExp
  readonly reason: FailureReason
  /** What happened, with `{host}` in the place of the host's name. */
  readonly words: string
  /** No other credential would get further. */
  readonly unreachable?: true
}

const RULES: readonly TransportRule[] = [
  {
    codes: /^ENOTFOUND$/,
    reason: 'network',
    words: 'could not find the host {host}',
    unreachable: true,
  },
  {
    codes: /^EAI_AGAIN$/,
    reason: 'network',
    words: 'could not look up the host {host} just now',
    unreachable: true,
  },
  {
    codes: /^ECONNREFUSED$/,
    reason: 'network',
    words: 'nothing answers at {host}',
    unreachable: true,
  },
  {
    codes: /^E(?:NET|HOST)UNREACH$/,
    reason: 'network',
    words: 'no way leads to {host}',
    unreachable: true,
  },
  {
    codes: /^(?:UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/,
    reason: 'network',
    words: 'connecting to {host} took too long',
    unreachable: true,
  },
  {
    codes: /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_)/,
    reason: 'network',
    words: 'the certificate of {host} is not trusted here; NODE_EXTRA_CA_CERTS can name another',
    unreachable: true,
  },
  {
    codes: /^(?:ERR_TLS_|ERR_SSL_|EPROTO$)/,
    reason: 'network',
    words: '{host} does not speak TLS as expected; it may be an http:// address',
    unreachable: true,
  },
  {
    codes: /^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET|ERR_STREAM_PREMATURE_CLOSE)$/,
    reason: 'network',
    words: '{host} closed the connection without an answer',
  },
  {
    codes: /^UND_ERR_HEADERS_TIMEOUT$/,
    reason: 'timeout',
    words: '{host} took too long to answer',
  },
  { codes: /^UND_ERR_BODY_TIMEOUT$/, reason: 'timeout', words: '{host} stopped in mid-answer' },
  {
    codes: /^(?:HPE_|UND_ERR_HEADERS_OVERFLOW$|UND_ERR_RES)/,
    reason: 'server_error',
    words: '{host} answered with something that is not HTTP',
  },
  // undici's name for a tunnel that the proxy denies.
  { codes: /^UND_ERR_ABORTED$/, reason: 'network', words: 'the proxy did not let us to {host}' },
  {
    codes: /^(?:UND_ERR_INVALID_ARG|ERR_INVALID_)/,
    reason: 'invalid_request',
    words: 'the address, a header or the proxy for {host} is not well-formed',
  },
]

/**
 * The failure for an error code such as `ENOTFOUND`.
 *
 * @param code undefined when the error bears none
 */
export function judgeTransport(code: string | undefined, host: string): UpstreamFailure {
  const rule = RULES.find((entry) => code !== undefined && entry.codes.test(code))
  const words = (rule?.words ?? 'could not reach {host}').replace('{host}', () => host)
  return {
    reason: rule?.reason ?? 'network',
    words: code === undefined ? words : `${words} (${code})`,
    ...(rule?.unreachable && { unreachable: true }),
  }
}

/** The caller has gone, so nobody waits for the answer. */
export function cancelledFailure(host: string): UpstreamFailure {
  return { reason: 'cancelled', words: `the request to ${host} was cancelled` }
}
