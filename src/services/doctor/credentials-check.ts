/** Checks of every credential: can it serve, does it end, will anybody ever try it. */

import { expiresAtOf, isExpired } from '../../domain/credential.ts'
import type { Finding } from '../../domain/finding.ts'
import { finding } from '../../domain/finding.ts'
import { isDead } from '../../domain/grant.ts'
import { assess } from '../../domain/health.ts'
import { modelChain } from '../../domain/models.ts'
import type { ProviderId } from '../../domain/names.ts'
import { MAIN_AGENT, providerOf } from '../../domain/names.ts'
import type { HeldProfile } from '../../domain/profile.ts'
import type { ProviderFacts } from '../../domain/provider.ts'
import { canRenew } from '../../domain/renewal-rules.ts'
import type { Candidate } from '../../domain/rotation.ts'
import { usageOf } from '../../domain/rotation.ts'
import { acceptsType } from '../../domain/settings.ts'
import { DAY_MS } from '../../domain/time.ts'
import type { World } from '../../domain/world.ts'
import { candidatesFor, explicitOrder, hasCredential } from '../../domain/world.ts'
import type { Sight } from './sight.ts'
import { isEveryBookRead, loadedWorlds } from './sight.ts'

const UNUSED_MS: number = 90 * DAY_MS

/** Whether access ends or has ended, was rejected, is no secret, is refused, or rests. */
export function credentialsCheck(sight: Sight): readonly Finding[] {
  return ownCandidates(sight).flatMap(({ world, candidate }) => [
    ...accessFindings(world, candidate),
    ...useFindings(world, candidate),
  ])
}

export function anyCredentialCheck(sight: Sight): readonly Finding[] {
  const worlds = loadedWorlds(sight)
  if (worlds.length === 0 || !isEveryBookRead(sight)) return []
  const isSetUp = worlds.some((world) =>
    [...world.providers.values()].some(
      (facts) => facts.keyless !== 'sandbox' && hasCredential(world, facts),
    ),
  )
  return isSetUp ? [] : [finding({ code: 'DR_CREDENTIAL_NONE' })]
}

/** Profiles that nobody ever tries, or has not for long. */
export function unusedCheck(sight: Sight): readonly Finding[] {
  const worlds = loadedWorlds(sight)
  const inUse = new Set(worlds.flatMap(providersInUse))
  return ownCandidates(sight).flatMap(({ world, candidate, profile }) => {
    if (!profile) return []
    const agent = world.agent
    const { mode, credential } = candidate
    if (mode && credential && !acceptsType(mode, credential.type)) {
      const { type } = credential
      return [finding({ code: 'DR_PROFILE_MODE', agent, profile: profile.id, mode, type })]
    }
    const order = explicitOrder(world, providerOf(profile.id))
    if (order && !order.ids.includes(profile.id)) {
      const { from } = order
      return [finding({ code: 'DR_PROFILE_UNORDERED', agent, profile: profile.id, order: from })]
    }
    const since = usageOf(candidate, world.state)?.lastUsedAt ?? profile.storedAt
    const isOld = since !== undefined && world.now - since > UNUSED_MS
    return isOld && !inUse.has(providerOf(profile.id))
      ? [finding({ code: 'DR_PROFILE_UNUSED', agent, profile: profile.id, since })]
      : []
  })
}

interface OwnCandidate {
  readonly world: World
  readonly candidate: Candidate
  /** Absent: it stands outside the book. */
  readonly profile?: HeldProfile
}

/** Each credential once: those of a book with the agent whose it is, those outside with `main`. */
function ownCandidates(sight: Sight): readonly OwnCandidate[] {
  return loadedWorlds(sight).flatMap((world) =>
    [...world.providers.values()].filter(isReal).flatMap((facts) =>
      candidatesFor(world, facts).flatMap((candidate) => {
        const { source } = candidate
        if (source.kind === 'none_needed') return []
        if (source.kind !== 'store') return world.agent === MAIN_AGENT ? [{ world, candidate }] : []
        const profile = world.book.profiles.get(candidate.id)
        return profile && source.agent === world.agent ? [{ world, candidate, profile }] : []
      }),
    ),
  )
}

function isReal(facts: ProviderFacts): boolean {
  return facts.keyless !== 'sandbox'
}

function accessFindings(world: World, candidate: Candidate): readonly Finding[] {
  const { agent } = world
  const { id: profile, credential, source, missingVariable: variable } = candidate
  const { access } = assess(candidate, world)
  const outside =
    source.kind === 'variable'
      ? { outside: source.variable }
      : source.kind === 'config'
        ? { outside: source.field }
        : {}
  if (access.state === 'rejected') {
    const { at, words } = access
    return [finding({ code: 'DR_ACCESS_REJECTED', agent, profile, at, words, ...outside })]
  }
  if (access.state === 'missing') {
    const missing = variable === undefined ? {} : { variable }
    return [finding({ code: 'DR_SECRET_UNUSABLE', agent, profile, ...outside, ...missing })]
  }
  const at = credential && expiresAtOf(credential)
  if (!credential || at === undefined || isDead(candidate.grant)) return []
  const { origin } = candidate
  const { type } = credential
  const ended = isExpired(credential, world.now)
  if (type === 'oauth' && origin !== 'equabot') {
    if (!ended) return []
    const way = candidate.grant?.way
    if (way === 'never') return [finding({ code: 'DR_ACCESS_OWNERS', agent, profile, origin })]
    if (way !== 'none') return []
  }
  if (canRenew(candidate.grant)) return []
  if (ended) return [finding({ code: 'DR_ACCESS_ENDED', agent, profile, type, origin, at })]
  return at - world.now <= world.settings.auth.warnWithinMs
    ? [finding({ code: 'DR_ACCESS_ENDING', agent, profile, type, origin, at })]
    : []
}

function useFindings(world: World, candidate: Candidate): readonly Finding[] {
  const { policy, quota } = assess(candidate, world)
  const who = { agent: world.agent, profile: candidate.id }
  return [
    ...(policy.state === 'refused'
      ? [finding({ code: 'DR_POLICY_REFUSED', ...who, at: policy.at, words: policy.words })]
      : []),
    ...(quota.state === 'resting'
      ? [finding({ code: 'DR_RESTING', ...who, rest: quota.rest })]
      : []),
  ]
}

function providersInUse(world: World): readonly ProviderId[] {
  const chain = modelChain(world)
  if (!chain.ok) return []
  return [chain.value.primary, ...chain.value.fallbacks].map(({ provider }) => provider)
}
