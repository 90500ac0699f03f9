/** Which headers pass through the gateway: what a client says to a provider does, what concerns this hop or a credential does not. */

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { UpstreamAnswer } from '../domain/ports.ts'

/** @source RFC 9110 7.6.1 */
const THIS_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** A caller's own credentials, its way to us, and what our own connection to the provider says anew. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'accept-encoding',
  'api-key',
  'authorization',
  'content-encoding',
  'content-length',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'origin',
  'referer',
  'user-agent',
  'via',
  'x-api-key',
  'x-goog-api-key',
  'x-real-ip',
])
const NOT_SENT_BEGINNINGS = ['x-forwarded-', 'x-equabot-', 'sec-']

/** What a provider says about its own site, which would be taken for ours. */
const NOT_RETURNED: ReadonlySet<string> = new Set([
  'alt-svc',
  'clear-site-data',
  'set-cookie',
  'strict-transport-security',
  'www-authenticate',
])
const NOT_RETURNED_BEGINNINGS = ['access-control-', 'x-equabot-']

/** The headers of a client that its provider is to see. */
export function sentHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const named = namedByConnection(headers.connection)
  const sent: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || isOfThisHop(name, named)) continue
    if (NOT_SENT.has(name) || startsWithAny(name, NOT_SENT_BEGINNINGS)) continue
    sent[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return sent
}

/** The headers of a provider's answer that its client is to see. */
export function returnedHeaders(headers: UpstreamAnswer['headers']): OutgoingHttpHeaders {
  const named = namedByConnection(headers['connection'])
  const returned: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    if (isOfThisHop(name, named)) continue
    if (NOT_RETURNED.has(name) || startsWithAny(name, NOT_RETURNED_BEGINNINGS)) continue
    returned[name] = typeof value === 'string' ? value : [...value]
  }
  return returned
}

function isOfThisHop(name: string, named: ReadonlySet<string>): boolean {
  return THIS_HOP.has(name) || named.has(name)
}

function namedByConnection(value: string | readonly string[] | undefined): ReadonlySet<string> {
  const text = typeof value === 'string' ? value : (value ?? []).join(',')
  return new Set(text.split(',').map((part) => part.trim().toLowerCase()))
}

function startsWithAny(name: string, beginnings: readonly string[]): boolean {
  return beginnings.some((beginning) => name.startsWith(beginning))
}
