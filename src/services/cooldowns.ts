/** What holds credentials back now, to look at and to end before its time. */

import type { Fault } from '../domain/fault.ts'
import type { AgentId, ProfileId } from '../domain/names.ts'
import { MAIN_AGENT, parseProfileId } from '../domain/names.ts'
import type { StateStore } from '../domain/ports.ts'
import type { HeldBack } from '../domain/resting.ts'
import { allCandidates, heldBack, withoutRests } from '../domain/resting.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Candidate } from '../domain/rotation.ts'
import type { EpochMs } from '../domain/time.ts'
import { unknownProfile } from '../domain/unknown.ts'
import type { World } from '../domain/world.ts'
import { findProvider } from './lookup.ts'
import type { LoadWorld } from './world.ts'

export interface CooldownReport extends HeldBack {
  readonly agent: AgentId
  readonly now: EpochMs
}

/** What to look at: one credential, those of one provider, or all. */
export type CooldownChoice =
  | { readonly kind: 'profile'; readonly text: string }
  | { readonly kind: 'provider'; readonly text: string }
  | { readonly kind: 'all' }

export interface Cooldowns {
  /** @faults `EQ_PROFILE_UNKNOWN`, `EQ_PROVIDER_UNKNOWN`, `EQ_NAME_INVALID`, those of the book */
  list(agent: AgentId | undefined, choice: CooldownChoice): Promise<Result<CooldownReport, Fault>>
  /**
   * Ends what holds the chosen back, whatever its scope: a rest of its account or provider ends for the others too.
   * Gives what was ended.
   */
  clear(agent: AgentId | undefined, choice: CooldownChoice): Promise<Result<CooldownReport, Fault>>
}

export interface CooldownsDeps {
  readonly loadWorld: LoadWorld
  readonly states: StateStore
}

export function createCooldowns({ loadWorld, states }: CooldownsDeps): Cooldowns {
  async function look(
    agent: AgentId | undefined,
    choice: CooldownChoice,
  ): Promise<Result<Chosen, Fault>> {
    const chosen = await choose(loadWorld, agent, choice)
    if (!chosen.ok) return chosen
    const { world, candidates } = chosen.value
    if (world.bookFault) return fail(world.bookFault)
    const report = { agent: world.agent, now: world.now, ...heldBack(world, candidates) }
    return ok({ candidates, report })
  }

  return {
    async list(agent, choice) {
      const chosen = await look(agent, choice)
      return chosen.ok ? ok(chosen.value.report) : chosen
    },
    async clear(agent, choice) {
      const chosen = await look(agent, choice)
      if (!chosen.ok) return chosen
      const { candidates, report } = chosen.value
      if (report.resting.length + report.forbidden.length === 0) return ok(report)
      for (const [home, ids] of byHome(candidates)) {
        states.update(home, (state) => withoutRests(state, candidates, ids))
      }
      const saved = await states.flush()
      return saved.ok ? ok(report) : saved
    },
  }
}

interface Chosen {
  readonly candidates: readonly Candidate[]
  readonly report: CooldownReport
}

async function choose(
  loadWorld: LoadWorld,
  agent: AgentId | undefined,
  choice: CooldownChoice,
): Promise<Result<{ readonly world: World; readonly candidates: readonly Candidate[] }, Fault>> {
  if (choice.kind === 'provider') {
    const found = await findProvider(loadWorld, agent, choice.text)
    if (!found.ok) return found
    const { world, facts } = found.value
    return ok({ world, candidates: allCandidates(world, facts.id) })
  }
  const loaded = await loadWorld(agent)
  if (!loaded.ok) return loaded
  const world = loaded.value
  const all = allCandidates(world)
  if (choice.kind === 'all') return ok({ world, candidates: all })
  const id = parseProfileId(choice.text)
  if (!id) return fail({ code: 'EQ_NAME_INVALID', what: 'profile', text: choice.text })
  const candidates = all.filter((candidate) => candidate.id === id)
  if (candidates.length > 0) return ok({ world, candidates })
  return fail(
    unknownProfile(
      world.agent,
      id,
      all.map((candidate) => candidate.id),
    ),
  )
}

/** Whose state file keeps which of them; what all share is in `main`'s. */
function byHome(candidates: readonly Candidate[]): ReadonlyMap<AgentId, ReadonlySet<ProfileId>> {
  const homes = new Map<AgentId, Set<ProfileId>>([[MAIN_AGENT, new Set()]])
  for (const { id, source } of candidates) {
    const home = source.kind === 'store' ? source.agent : MAIN_AGENT
    homes.set(home, (homes.get(home) ?? new Set()).add(id))
  }
  return homes
}
