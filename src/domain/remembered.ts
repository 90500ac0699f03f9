/**
 * What was worked out about a world before.
 *
 * A world never changes: what was true of it once stays so, and goes when the world goes. Nothing here looks at a clock.
 */

import type { Candidate } from './candidate.ts'
import type { EffectiveBook } from './profile.ts'
import type { ProviderFacts } from './provider.ts'
import type { Leaning, World } from './world.ts'
import type { ModelKey, ProfileId } from './names.ts'
import { formatModelKey } from './names.ts'
import type { Ranked } from './rotation.ts'

/** Everything of a world that says who could serve. Its state and its time do not. */
const PARTS = [
  'environment',
  'settings',
  'bookPath',
  'budgets',
  'grants',
  'foreignOff',
  'fingerprint',
] as const satisfies readonly (keyof World)[]

interface KnownBook {
  readonly world: World
  readonly byFacts: Map<ProviderFacts, readonly Candidate[]>
}

const books = new WeakMap<EffectiveBook, KnownBook>()

/** The candidates of a provider, worked out once for all worlds that differ in state and time only. */
export function rememberedCandidates(
  world: World,
  facts: ProviderFacts,
  list: () => readonly Candidate[],
): readonly Candidate[] {
  let known = books.get(world.book)
  if (!known || PARTS.some((part) => known?.world[part] !== world[part])) {
    known = { world, byFacts: new Map() }
    books.set(world.book, known)
  }
  const before = known.byFacts.get(facts)
  if (before) return before
  const candidates = list()
  known.byFacts.set(facts, candidates)
  return candidates
}

/** So many questions about one world are remembered: a request asks few, a list of all models many and each once. */
const MOST_QUESTIONS = 8

const worlds = new WeakMap<World, Map<string, readonly Ranked[]>>()

/** The ranking for a question that was asked of this very world before, or a new one. */
export function rememberedRanking(
  world: World,
  model: ModelKey,
  pin: ProfileId | undefined,
  { keep, meant }: Leaning,
  rank: () => readonly Ranked[],
): readonly Ranked[] {
  const known = worlds.get(world) ?? new Map<string, readonly Ranked[]>()
  worlds.set(world, known)
  const question = [formatModelKey(model), pin, keep, meant?.profile, meant?.lane].join('\n')
  const before = known.get(question)
  if (before) return before
  const ranked = rank()
  const [oldest] = known.keys()
  if (known.size >= MOST_QUESTIONS && oldest !== undefined) known.delete(oldest)
  known.set(question, ranked)
  return ranked
}
