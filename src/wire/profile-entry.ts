/** One entry of `profiles` in `auth-profiles.json`. Fields that are not ours stay as they are. */

import * as v from 'valibot'

import type { Credential } from '../domain/credential.ts'
import { parseGrantId } from '../domain/grant.ts'
import type { ProfileId } from '../domain/names.ts'
import { parseProviderId, providerOf } from '../domain/names.ts'
import { isRecord } from '../domain/plain-data.ts'
import type { Origin, Profile } from '../domain/profile.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'
import type { JsonObject, Misfit } from './decode.ts'
import { decode } from './decode.ts'
import { instantOf } from './instant.ts'

const SecretText = v.pipe(
  v.string(),
  v.check((text) => text.trim() !== '', 'text that is not blank'),
)
const OptionalText = v.optional(v.string(), '')
/** Other tools write 0, a negative number or null where they know of no end. */
const Expiry = v.optional(v.nullable(v.number()))
const ORIGINS = ['equabot', 'claude-code', 'codex-cli'] as const satisfies readonly Origin[]
const Entry = v.intersect([
  v.object({
    provider: v.string(),
    origin: v.optional(v.picklist(ORIGINS), 'equabot'),
  }),
  v.variant('type', [
    v.object({ type: v.literal('api_key'), key: SecretText }),
    v.object({ type: v.literal('token'), token: SecretText, expires: Expiry }),
    v.object({
      type: v.literal('oauth'),
      access: SecretText,
      refresh: OptionalText,
      expires: Expiry,
    }),
  ]),
])

/** The profile, or the first field that keeps the entry from being one. */
export function parseProfileEntry(id: ProfileId, raw: unknown): Result<Profile, Misfit> {
  if (!isRecord(raw)) return fail({ field: '', expected: 'an object' })
  const entry = decode(Entry, raw)
  if (!entry.ok) return entry
  const provider = providerOf(id)
  if (parseProviderId(entry.value.provider) !== provider) {
    return fail({ field: 'provider', expected: `"${provider}", as in its name` })
  }
  const storedAt = instantOf(raw.storedAt)
  return ok({
    id,
    credential: credentialOf(entry.value, raw),
    origin: entry.value.origin,
    ...(typeof raw.source === 'string' &&
      entry.value.origin !== 'equabot' && { place: raw.source }),
    ...(storedAt !== undefined && { storedAt }),
  })
}

function credentialOf(entry: v.InferOutput<typeof Entry>, raw: JsonObject): Credential {
  const email = typeof raw.email === 'string' && { email: raw.email }
  if (entry.type === 'api_key') return { type: 'api_key', key: new Secret(entry.key), ...email }
  const expiresAt = instantOf(entry.expires)
  const expiry = expiresAt !== undefined && { expiresAt }
  if (entry.type === 'token') {
    const issuedAt = instantOf(raw.issuedAt)
    return {
      type: 'token',
      token: new Secret(entry.token),
      ...expiry,
      ...(issuedAt !== undefined && { issuedAt }),
      ...email,
    }
  }
  const renewedAt = instantOf(raw.renewedAt)
  const grantId = typeof raw.grant === 'string' ? parseGrantId(raw.grant) : undefined
  return {
    type: 'oauth',
    access: new Secret(entry.access),
    ...(entry.refresh.trim() !== '' && { refresh: new Secret(entry.refresh) }),
    ...expiry,
    ...email,
    ...(typeof raw.accountId === 'string' && { accountId: raw.accountId }),
    ...(renewedAt !== undefined && { renewedAt }),
    ...(grantId && { grantId }),
    ...(typeof raw.clientId === 'string' && raw.clientId !== '' && { clientId: raw.clientId }),
  }
}

const OWN_FIELDS = [
  'type',
  'provider',
  'key',
  'token',
  'access',
  'refresh',
  'expires',
  'email',
  'accountId',
  'grant',
  'clientId',
  'issuedAt',
  'renewedAt',
  'origin',
  'source',
  'storedAt',
] as const

/** The entry with the fields of this profile, and whatever else `raw` holds. */
export function renderProfileEntry(profile: Profile, raw: unknown): JsonObject {
  const { credential } = profile
  const own: Partial<Record<(typeof OWN_FIELDS)[number], unknown>> = {
    type: credential.type,
    provider: providerOf(profile.id),
    ...secretsOf(credential),
    ...('expiresAt' in credential && { expires: credential.expiresAt }),
    ...(credential.email !== undefined && { email: credential.email }),
    ...('accountId' in credential && { accountId: credential.accountId }),
    ...('grantId' in credential && { grant: credential.grantId }),
    ...('clientId' in credential && { clientId: credential.clientId }),
    ...('issuedAt' in credential && { issuedAt: credential.issuedAt }),
    ...('renewedAt' in credential && { renewedAt: credential.renewedAt }),
    ...(profile.place !== undefined && { source: profile.place }),
    ...(profile.origin !== 'equabot' && { origin: profile.origin }),
    ...(profile.storedAt !== undefined && { storedAt: profile.storedAt }),
  }
  const members = new Map(isRecord(raw) ? Object.entries(raw) : [])
  for (const field of OWN_FIELDS) {
    if (own[field] === undefined) members.delete(field)
    else members.set(field, own[field])
  }
  return Object.fromEntries(members)
}

/** The secrets by their names in the file, which is their home. */
function secretsOf(credential: Credential): Partial<Record<(typeof OWN_FIELDS)[number], string>> {
  switch (credential.type) {
    case 'api_key':
      return { key: credential.key.reveal() }
    case 'token':
      return { token: credential.token.reveal() }
    case 'oauth':
      return {
        access: credential.access.reveal(),
        ...(credential.refresh && { refresh: credential.refresh.reveal() }),
      }
    default:
      return credential satisfies never
  }
}

export function sameProfile(a: Profile, b: Profile): boolean {
  return (
    a === b ||
    JSON.stringify(renderProfileEntry(a, {})) === JSON.stringify(renderProfileEntry(b, {}))
  )
}
