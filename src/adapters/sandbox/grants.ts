/**
 * OAuth grants of the sandbox: access tokens that live a minute, refresh tokens that serve once.
 *
 * A token carries its own facts and a seal, so a grant made by one process is good in another. The sealing key is
 * public, as it guards nothing. Which refresh tokens have served is only remembered while the sandbox runs.
 */

import { createHmac, randomBytes } from 'node:crypto'
import { Secret } from '../../domain/secret.ts'
import type { EpochMs } from '../../domain/time.ts'
import { MINUTE_MS } from '../../domain/time.ts'

export interface SandboxGrant {
  readonly access: Secret
  readonly refresh: Secret
  readonly expiresAt: EpochMs
}

export interface GrantDesk {
  /** The next grant for a refresh token, or why there is none. */
  redeem(refresh: string, now: EpochMs): SandboxGrant | 'forged' | 'used'
}

export const ACCESS_LIFETIME_MS: number = MINUTE_MS

const ACCESS = 'sandbox-access-'
const REFRESH = 'sandbox-refresh-'
const SEALING_KEY = 'equabot sandbox: this key is public'

/** A new grant, as after a login. */
export function issueSandboxGrant(now: EpochMs): SandboxGrant {
  return grantOf(randomBytes(6).toString('hex'), 1, now)
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
  return {
    redeem(refresh, now) {
      const [grant, generation] = unseal(REFRESH, refresh) ?? []
      if (grant === undefined) return 'forged'
      if (Number(generation) <= (served.get(grant) ?? 0)) return 'used'
      served.set(grant, Number(generation))
      return grantOf(grant, Number(generation) + 1, now)
    },
  }
}

function grantOf(grant: string, generation: number, now: EpochMs): SandboxGrant {
  const expiresAt = now + ACCESS_LIFETIME_MS
  return {
    access: new Secret(seal(ACCESS, [grant, generation, expiresAt])),
    refresh: new Secret(seal(REFRESH, [grant, generation])),
    expiresAt,
  }
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
