/**
 * OAuth grants of the sandbox: access tokens that live a minute, refresh tokens that serve once.
 *
 * A token carries its own facts and a seal, so a grant made by one process is good in another. The sealing key is
 * public, as it guards nothing. Which refresh tokens have served, and which grants were revoked, is only remembered while
 * the sandbox runs.
 */

import { createHash, createHmac, randomBytes } from 'node:crypto'
import { Secret } from '../../domain/secret.ts'
import type { EpochMs } from '../../domain/time.ts'
import { MINUTE_MS } from '../../domain/time.ts'

export interface SandboxGrant {
  readonly access: Secret
  readonly refresh: Secret
  readonly expiresAt: EpochMs
}

/** Whose a grant is; grants that were not made by a login are nobody's. */
export interface SandboxAccount {
  readonly uuid: string
  readonly email: string
}

export interface AccountedGrant extends SandboxGrant {
  readonly account?: SandboxAccount
}

export interface GrantDesk {
  /** The next grant for a refresh token, or why there is none. */
  redeem(refresh: string, now: EpochMs): AccountedGrant | 'forged' | 'used' | 'revoked'
  /** A new grant for an account, as after its login. */
  issue(email: string, now: EpochMs): AccountedGrant
  /** Ends the grant of a token: it is not renewed again. An access token goes on for the rest of its minute. */
  revoke(token: string): void
}

export const ACCESS_LIFETIME_MS: number = MINUTE_MS

const ACCESS = 'sandbox-access-'
const REFRESH = 'sandbox-refresh-'
const SEALING_KEY = 'equabot sandbox: this key is public'

/** A new grant, as after a login. */
export function issueSandboxGrant(now: EpochMs): SandboxGrant {
  return grantOf(newId(), 1, now)
}

/** Whether a key is meant as an access token, sound or not. */
export function isAccessToken(key: string): boolean {
  return key.startsWith(ACCESS)
}

/** When an access token ends; undefined when it was not issued here. */
export function accessExpiry(token: string): EpochMs | undefined {
  const facts = unseal(ACCESS, token)
  return facts && Number(facts[2])
}

export function createGrantDesk(): GrantDesk {
  const served = new Map<string, number>()
  const revoked = new Set<string>()
  return {
    redeem(refresh, now) {
      const [grant, generation, owner] = unseal(REFRESH, refresh) ?? []
      if (grant === undefined) return 'forged'
      if (revoked.has(grant)) return 'revoked'
      if (Number(generation) <= (served.get(grant) ?? 0)) return 'used'
      served.set(grant, Number(generation))
      return grantOf(grant, Number(generation) + 1, now, owner)
    },
    issue: (email, now) => grantOf(newId(), 1, now, Buffer.from(email).toString('base64url')),
    revoke(token) {
      const [grant] = unseal(REFRESH, token) ?? unseal(ACCESS, token) ?? []
      if (grant !== undefined) revoked.add(grant)
    },
  }
}

function newId(): string {
  return randomBytes(6).toString('hex')
}

/** @param owner the email of its account in base64url, which holds no dot */
function grantOf(grant: string, generation: number, now: EpochMs, owner?: string): AccountedGrant {
  const expiresAt = now + ACCESS_LIFETIME_MS
  const owned = owner === undefined ? [] : [owner]
  return {
    access: new Secret(seal(ACCESS, [grant, generation, expiresAt])),
    refresh: new Secret(seal(REFRESH, [grant, generation, ...owned])),
    expiresAt,
    ...(owner !== undefined && { account: accountOf(Buffer.from(owner, 'base64url').toString()) }),
  }
}

/** An account is the same in every sandbox, as its id is made from its address. */
function accountOf(email: string): SandboxAccount {
  const hex = createHash('sha256').update(email.toLowerCase()).digest('hex')
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)]
  return { uuid: `${parts.join('-')}-${hex.slice(20, 32)}`, email }
}

function seal(prefix: string, facts: readonly (string | number)[]): string {
  const text = prefix + facts.join('.')
  return `${text}.${sealOf(text)}`
}

function unseal(prefix: string, token: string): readonly string[] | undefined {
  const end = token.lastIndexOf('.')
  const text = token.slice(0, end)
  const sound = token.startsWith(prefix) && token.slice(end + 1) === sealOf(text)
  return sound ? text.slice(prefix.length).split('.') : undefined
}

function sealOf(text: string): string {
  return createHmac('sha256', SEALING_KEY).update(text).digest('hex').slice(0, 20)
}
