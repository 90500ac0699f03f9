/** Whom a probe asks. Nothing is sent here. */

import type { Fault } from '../domain/fault.ts'
import { findModel } from '../domain/models.ts'
import type { ProfileId, ProviderId } from '../domain/names.ts'
import { parseModelRef, providerOf } from '../domain/names.ts'
import type { ProviderFacts } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Candidate } from '../domain/rotation.ts'
import { unknownProfile } from '../domain/unknown.ts'
import type { World } from '../domain/world.ts'
import { candidatesFor, hasCredential } from '../domain/world.ts'

export interface Subject {
  readonly facts: ProviderFacts
  readonly candidate: Candidate
  /** By the user. */
  readonly named: boolean
}

export interface Wish {
  readonly profiles?: readonly ProfileId[]
  readonly providers?: readonly ProviderId[]
  readonly model?: string
}

/**
 * Exactly the named profiles; else every credential of the providers, of the model's provider, or of all that are set up.
 *
 * @faults `EQ_PROFILE_UNKNOWN`, `EQ_PROFILE_FOREIGN`, `EQ_NAME_INVALID`, those of finding a model; the book's, where it
 *   may hold a named profile
 */
export function subjectsOf(world: World, wish: Wish): Result<readonly Subject[], Fault> {
  const { profiles, providers, model } = wish
  const ref = model === undefined ? undefined : parseModelRef(model)
  if (model !== undefined && !ref)
    return fail({ code: 'EQ_NAME_INVALID', what: 'model', text: model })
  if (profiles) return namedSubjects(world, [...new Set(profiles)], providers)
  if (!providers && ref) {
    const found = findModel(world, ref)
    if (!found.ok) return found
    const { provider } = found.value
    return ref.profile
      ? namedSubjects(world, [ref.profile], [provider])
      : ok(allOf(world, [provider]))
  }
  return ok(allOf(world, providers ?? setUp(world)))
}

function setUp(world: World): readonly ProviderId[] {
  const all = [...world.providers.values()]
  return all.filter((facts) => hasCredential(world, facts)).map((facts) => facts.id)
}

function allOf(world: World, providers: readonly ProviderId[]): readonly Subject[] {
  return providers.flatMap((id) => {
    const facts = world.providers.get(id)
    const candidates = facts ? candidatesFor(world, facts) : []
    return candidates.flatMap((candidate) => (facts ? [{ facts, candidate, named: false }] : []))
  })
}

function namedSubjects(
  world: World,
  profiles: readonly ProfileId[],
  providers: readonly ProviderId[] | undefined,
): Result<readonly Subject[], Fault> {
  const subjects: Subject[] = []
  for (const profile of profiles) {
    const own = providerOf(profile)
    const other = providers?.find((provider) => provider !== own)
    if (other) return fail({ code: 'EQ_PROFILE_FOREIGN', profile, provider: other })
    const found = allOf(world, [own]).find(({ candidate }) => candidate.id === profile)
    if (!found && world.bookFault) return fail(world.bookFault)
    if (!found) {
      const known = allOf(world, setUp(world)).map(({ candidate }) => candidate.id)
      return fail(unknownProfile(world.agent, profile, known))
    }
    subjects.push({ ...found, named: true })
  }
  return ok(subjects)
}
