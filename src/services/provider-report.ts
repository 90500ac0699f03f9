/** A provider and its credentials as the screens show them, ranked as a request ranks them. */

import { expiresAtOf } from '../domain/credential.ts'
import { assess } from '../domain/health.ts'
import { modelChain } from '../domain/models.ts'
import type { ProviderId } from '../domain/names.ts'
import type { ProviderFacts } from '../domain/provider.ts'
import type { CandidateReport, ProviderReport } from '../domain/report.ts'
import type { Candidate, Ranked } from '../domain/rotation.ts'
import { usageOf } from '../domain/rotation.ts'
import { endpointWords } from '../domain/wording.ts'
import type { World } from '../domain/world.ts'
import { hasCredential, rankFor } from '../domain/world.ts'

export function providerReports(
  world: World,
  inUse: ReadonlySet<ProviderId>,
): readonly ProviderReport[] {
  return [...world.providers.values()]
    .filter((facts) => inUse.has(facts.id) || hasCredential(world, facts))
    .map((facts) => providerReport(world, facts, inUse.has(facts.id)))
}

function providerReport(world: World, facts: ProviderFacts, inUse: boolean): ProviderReport {
  const chain = modelChain(world)
  const used = chain.ok
    ? [chain.value.primary, ...chain.value.fallbacks].find((model) => model.provider === facts.id)
    : undefined
  const model = used ?? { provider: facts.id, model: facts.defaultModel ?? '' }
  const candidates = candidateReports(world, rankFor(world, model))
  const effective = candidates.find((entry) => entry.place === 1)
  return {
    provider: facts.id,
    title: facts.title,
    endpoint: endpointWords(facts),
    protocol: facts.protocol,
    inUse,
    ...(effective && { effective }),
    candidates,
  }
}

/** Taken ones come first, in the order in which they are tried. */
export function candidateReports(
  world: World,
  ranked: readonly Ranked[],
): readonly CandidateReport[] {
  return ranked.map((entry, index) => candidateReport(world, entry, index + 1))
}

function candidateReport(world: World, ranked: Ranked, place: number): CandidateReport {
  const candidate: Candidate = ranked.candidate
  const { credential } = candidate
  const usage = usageOf(candidate, world.state)
  const expiresAt = credential && expiresAtOf(credential)
  return {
    profile: candidate.id,
    type: credential?.type ?? 'none',
    fingerprint: candidate.fingerprint,
    lane: candidate.lane,
    origin: candidate.origin,
    ...(candidate.place !== undefined && { ownerPlace: candidate.place }),
    source: candidate.source,
    ...(credential?.email !== undefined && { email: credential.email }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(usage?.lastUsedAt !== undefined && { lastUsedAt: usage.lastUsedAt }),
    ...(usage?.lastFailure && { lastFailure: usage.lastFailure }),
    health: assess(candidate, world),
    ranked,
    ...(ranked.taken && { place }),
  }
}
