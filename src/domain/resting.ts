/** Everything that holds credentials back now, as one list, and a state without some of it. */

import { accountKey, accountKeys } from './account.ts'
import type { AgentState, ProfileUsage, Rest } from './cooldown.ts'
import { runningRest } from './cooldown.ts'
import type { ProfileId, ProviderId } from './names.ts'
import { parseModelKey, parseProviderId, providerOf } from './names.ts'
import type { Candidate } from './rotation.ts'
import { usageOf } from './rotation.ts'
import type { EpochMs } from './time.ts'
import type { World } from './world.ts'
import { candidatesFor } from './world.ts'

/** One rest that is running, and whom it holds back. */
export interface Resting {
  readonly provider: ProviderId
  /** The credentials that it holds back; empty: all of the provider's. */
  readonly profiles: readonly ProfileId[]
  /** `provider/model`; absent: whatever the model. */
  readonly model?: string
  readonly rest: Rest
}

/** A use that the provider forbids: it does not end by waiting. */
export interface Forbidden {
  readonly profile: ProfileId
  readonly at: EpochMs
  readonly words: string
}

export interface HeldBack {
  readonly resting: readonly Resting[]
  readonly forbidden: readonly Forbidden[]
}

/** What holds these credentials back now, and what holds back everything of their providers. */
export function heldBack(world: World, candidates: readonly Candidate[]): HeldBack {
  const { state, now } = world
  const providers = new Set(candidates.map(({ id }) => providerOf(id)))
  const shared = [
    ...[...state.models].map(
      ([model, rest]) => ({ provider: parseModelKey(model)?.provider, model, rest }) as const,
    ),
    ...[...(state.providers ?? [])].map(
      ([name, rest]) => ({ provider: parseProviderId(name), rest }) as const,
    ),
  ]
  return {
    resting: [
      ...candidates.flatMap((candidate) => ownRests(candidate, world)),
      ...accountRests(candidates, world),
      ...shared.flatMap(({ provider, ...entry }) =>
        provider && providers.has(provider) && runningRest(entry.rest, now)
          ? [{ provider, profiles: [], ...entry }]
          : [],
      ),
    ],
    forbidden: candidates.flatMap((candidate) => {
      const refused = usageOf(candidate, state)?.refusedPolicy
      return refused ? [{ profile: candidate.id, ...refused }] : []
    }),
  }
}

/** Every credential of the providers that there are. */
export function allCandidates(world: World, only?: ProviderId): readonly Candidate[] {
  return [...world.providers.values()]
    .filter(({ id }) => only === undefined || id === only)
    .flatMap((facts) => candidatesFor(world, facts))
}

function ownRests(candidate: Candidate, { state, now }: World): readonly Resting[] {
  const usage = usageOf(candidate, state)
  const whose = { provider: providerOf(candidate.id), profiles: [candidate.id] }
  const rest = runningRest(usage?.rest, now)
  return [
    ...(rest ? [{ ...whose, rest }] : []),
    ...[...(usage?.models ?? [])].flatMap(([model, own]) =>
      runningRest(own, now) ? [{ ...whose, model, rest: own }] : [],
    ),
  ]
}

/** One entry for each account, with every login of it. */
function accountRests(candidates: readonly Candidate[], { state, now }: World): readonly Resting[] {
  const found = new Map<Rest, Resting>()
  for (const candidate of candidates) {
    const key = accountKey(candidate)
    const rest = runningRest(key === undefined ? undefined : state.accounts?.get(key), now)
    if (!rest) continue
    const profiles = [...(found.get(rest)?.profiles ?? []), candidate.id]
    found.set(rest, { provider: providerOf(candidate.id), profiles, rest })
  }
  return [...found.values()]
}

/** The state without what holds these credentials back. @param ids those whose own usage this state keeps */
export function withoutRests(
  state: AgentState,
  candidates: readonly Candidate[],
  ids: ReadonlySet<ProfileId>,
): AgentState {
  const providers = new Set<string>(candidates.map(({ id }) => providerOf(id)))
  const accounts = new Set(candidates.flatMap(accountKeys))
  const ofModel = (model: string): boolean => providers.has(parseModelKey(model)?.provider ?? '')
  return {
    ...state,
    profiles: new Map(
      [...state.profiles].map(([id, usage]) => [id, isOf(ids, id) ? awake(usage) : usage]),
    ),
    models: without(state.models, ofModel),
    ...(state.accounts && { accounts: without(state.accounts, (key) => accounts.has(key)) }),
    ...(state.providers && { providers: without(state.providers, (key) => providers.has(key)) }),
  }
}

/** Of what stands outside the book all secrets that have had the name. */
function isOf(ids: ReadonlySet<string>, key: string): boolean {
  return ids.has(key.split('#')[0] ?? key)
}

/** What was seen of its failures and its limits stays known. */
function awake({
  rest: _,
  models: __,
  refusedPolicy: ___,
  failures: ____,
  ...usage
}: ProfileUsage): ProfileUsage {
  return usage
}

function without(
  rests: ReadonlyMap<string, Rest>,
  isGone: (key: string) => boolean,
): ReadonlyMap<string, Rest> {
  return new Map([...rests].filter(([key]) => !isGone(key)))
}
