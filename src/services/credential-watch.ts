/**
 * Tells what becomes of credentials while nobody looks: that one ends soon or has ended, and how renewals went, whoever
 * made them. Compares one look with the last; the first one only learns.
 */

import { expiresAtOf } from '../domain/credential.ts'
import type { Publish } from '../domain/event.ts'
import type { Verdict } from '../domain/grant.ts'
import { assess } from '../domain/health.ts'
import type { AgentId, ProfileId, ProviderId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type { HeldProfile } from '../domain/profile.ts'
import type { Candidate } from '../domain/rotation.ts'
import type { EpochMs } from '../domain/time.ts'
import type { World } from '../domain/world.ts'
import { candidatesFor } from '../domain/world.ts'
import type { Renewals } from './renewal.ts'
import { faultOf } from './renewal.ts'
import type { LoadWorld } from './world.ts'

export interface CredentialWatch {
  /** Looks at every profile that this agent can use. */
  look(world: World): void
  /** Whether anybody has looked yet. */
  begun(): boolean
}

/** A profile as it was at the last look. */
interface Seen {
  /** Tells one access token from the next. */
  readonly access: string
  readonly expiresAt?: EpochMs
  readonly verdict?: Verdict
  /** The end that was told, and as what. */
  readonly toldEnd?: string
}

export function createCredentialWatch({ publish }: { readonly publish: Publish }): CredentialWatch {
  const seen = new Map<string, Seen>()

  return {
    begun: () => seen.size > 0,

    look(world) {
      const candidates = candidatesByProfile(world)
      for (const profile of world.book.profiles.values()) {
        const candidate = candidates.get(profile.id)
        if (!candidate || candidate.leftOut) continue
        const key = keyOf(profile)
        const before = seen.get(key)
        const now = seenNow(world, profile, candidate)
        if (before) tellRenewal(world, profile, before, now, publish)
        seen.set(key, { ...now, ...tellEnd(world, profile, candidate, before?.toldEnd, publish) })
      }
    },
  }
}

/** Renewals whose outcome is looked for as soon as they are over, once the watch has begun. */
export function watchedRenewals(
  renewals: Renewals,
  { loadWorld, watch }: { readonly loadWorld: LoadWorld; readonly watch: CredentialWatch },
): Renewals {
  async function lookAt(agent: AgentId): Promise<void> {
    const world = await loadWorld(agent)
    if (world.ok) watch.look(world.value)
  }
  return {
    async renew(request) {
      const renewed = await renewals.renew(request)
      if (watch.begun()) void lookAt(request.agent)
      return renewed
    },
  }
}

function keyOf({ home, id }: HeldProfile): string {
  return `${home} ${id}`
}

function candidatesByProfile(world: World): ReadonlyMap<ProfileId, Candidate> {
  const providers = new Set<ProviderId>([...world.book.profiles.keys()].map(providerOf))
  const all = [...providers].flatMap((id) => {
    const facts = world.providers.get(id)
    return facts ? candidatesFor(world, facts) : []
  })
  return new Map(all.map((candidate) => [candidate.id, candidate]))
}

function seenNow(world: World, { id, credential }: HeldProfile, candidate: Candidate): Seen {
  const expiresAt = expiresAtOf(credential)
  const verdict = world.grants.get(id)?.verdict
  return {
    access: candidate.fingerprint,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(verdict && { verdict }),
  }
}

/** A renewal that fails again and again in the same way is told once. */
function tellRenewal(
  world: World,
  { id, origin }: HeldProfile,
  before: Seen,
  now: Seen,
  publish: Publish,
): void {
  const { verdict, expiresAt } = now
  // The book is written before the verdict, so access alone says when: one renewal is told once.
  if (now.access !== before.access && (expiresAt ?? 0) > (before.expiresAt ?? 0)) {
    publish({
      kind: 'credential.renewed',
      profile: id,
      ...(expiresAt !== undefined && { until: expiresAt }),
    })
  }
  if (!verdict || verdict.outcome.kind === 'renewed') return
  if (verdict.outcome.kind === before.verdict?.outcome.kind) return
  const { code } = faultOf(id, origin, verdict, world.moment.upMs)
  publish({ kind: 'credential.renewal_failed', profile: id, code })
}

/** Once for each end of a credential, and once more when it has come. */
function tellEnd(
  world: World,
  { id, credential }: HeldProfile,
  candidate: Candidate,
  told: string | undefined,
  publish: Publish,
): Pick<Seen, 'toldEnd'> {
  const at = expiresAtOf(credential)
  const { summary } = assess(candidate, world)
  if (at === undefined || (summary !== 'expiring' && summary !== 'expired')) {
    return told === undefined ? {} : { toldEnd: told }
  }
  const end = `${summary} ${at}`
  if (end !== told) publish({ kind: `credential.${summary}`, profile: id, at })
  return { toldEnd: end }
}
