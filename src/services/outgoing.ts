/** One request to a provider: address, headers, and the credential in the place where this provider wants it. */

import { bearerOf } from '../domain/credential.ts'
import type { UpstreamRequest } from '../domain/ports.ts'
import type { ProviderFacts } from '../domain/provider.ts'
import type { Candidate } from '../domain/rotation.ts'
import { Secret } from '../domain/secret.ts'
import type { World } from '../domain/world.ts'
import { configuredHeaders } from '../domain/world.ts'

/** What a caller wants to be sent, without address and credential. */
export interface Outgoing {
  /** Under the provider's base URL, such as `/v1/messages`. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
}

export function upstreamRequest(
  world: World,
  facts: ProviderFacts,
  candidate: Candidate,
  outgoing: Outgoing,
): UpstreamRequest {
  const { credential } = candidate
  const asBearer = credential && facts.authHeader[credential.type] === 'bearer'
  return {
    url: `${facts.baseUrl}${outgoing.path}`,
    headers: {
      ...facts.headers,
      ...outgoing.headers,
      ...(asBearer && joinHeaders(outgoing.headers, facts.bearerHeaders ?? {})),
      'content-type': 'application/json',
    },
    secretHeaders: {
      ...configuredHeaders(world, facts.id),
      ...(credential && credentialHeader(facts, candidate)),
    },
    body: outgoing.body,
    timeouts: world.settings.upstream,
  }
}

function credentialHeader(
  facts: ProviderFacts,
  { credential }: Candidate,
): Readonly<Record<string, Secret>> {
  if (!credential) return {}
  const secret = bearerOf(credential)
  return facts.authHeader[credential.type] === 'x-api-key'
    ? { 'x-api-key': secret }
    : { authorization: new Secret(`Bearer ${secret.reveal()}`) }
}

/** Adds list values, such as beta flags, to those that the caller sent. */
function joinHeaders(
  sent: Readonly<Record<string, string>>,
  added: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const joined: Record<string, string> = {}
  for (const [name, value] of Object.entries(added)) {
    const before = sent[name]
    joined[name] =
      before === undefined || before.split(',').some((part) => part.trim() === value)
        ? (before ?? value)
        : `${before},${value}`
  }
  return joined
}
