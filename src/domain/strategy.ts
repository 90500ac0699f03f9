/** In which order the credentials of a provider are taken, before anything is known of their state today. */

import type { Candidate } from './candidate.ts'
import { usageOf } from './candidate.ts'
import type { AgentState } from './cooldown.ts'
import type { ProfileId } from './names.ts'

/**
 * `ordered`: always the first that can serve. `spread`: the least recently used first. `sticky`: the one that served
 * last, until it rests or nears its wall. Without an explicit order, each holds within one kind of credential.
 */
export const STRATEGIES = ['ordered', 'spread', 'sticky'] as const
export type Strategy = (typeof STRATEGIES)[number]

export interface Sorting {
  /** The ids of the explicit order, where there is one. */
  readonly ids?: readonly ProfileId[]
  /** Absent: `ordered` where there is an explicit order, else `spread`. */
  readonly strategy?: Strategy
  readonly state: AgentState
}

/** What is done here. */
export function strategyOf({ ids, strategy }: Sorting): Strategy {
  return strategy ?? (ids ? 'ordered' : 'spread')
}

/** The candidates sorted. Equal input in another sequence gives the same sequence. */
export function sorted(candidates: readonly Candidate[], sorting: Sorting): readonly Candidate[] {
  const strategy = strategyOf(sorting)
  const places = sorting.ids && new Map(sorting.ids.map((id, index) => [id, index]))
  const keyed = candidates.map((candidate): Keyed => {
    const place = places ? (places.get(candidate.id) ?? places.size) : kindPlace(candidate)
    const lastUsedAt =
      strategy === 'spread' ? (usageOf(candidate, sorting.state)?.lastUsedAt ?? 0) : 0
    const listed = places !== undefined && place < places.size
    // A spread order is a set: its members differ by use alone.
    return { candidate, place: listed && strategy === 'spread' ? 0 : place, lastUsedAt }
  })
  keyed.sort(
    (a, b) =>
      a.place - b.place ||
      a.lastUsedAt - b.lastUsedAt ||
      (a.candidate.id < b.candidate.id ? -1 : a.candidate.id > b.candidate.id ? 1 : 0),
  )
  return keyed.map(({ candidate }) => candidate)
}

interface Keyed {
  readonly candidate: Candidate
  readonly place: number
  readonly lastUsedAt: number
}

/**
 * The candidate that is to go first though its place is another: the one that was kept for a session, else the one
 * that served last where the strategy is `sticky`.
 *
 * Nobody is kept who is paid by use while somebody before them is not: what was a stopgap must not become a habit that
 * costs money.
 *
 * @param fit those that can serve now, as `sorted` gives them
 */
export function keptFirst(
  fit: readonly Candidate[],
  keep: ProfileId | undefined,
  sorting: Sorting,
): Candidate | undefined {
  const kept =
    fit.find(({ id }) => id === keep) ??
    (strategyOf(sorting) === 'sticky' ? lastGood(fit, sorting) : undefined)
  if (!kept || kept.lane !== 'metered') return kept
  const before = fit.slice(0, fit.indexOf(kept))
  return before.some(({ lane }) => lane !== 'metered') ? undefined : kept
}

/** Who served last: in the explicit order, else of the first kind that can serve. */
function lastGood(fit: readonly Candidate[], { ids, state }: Sorting): Candidate | undefined {
  const first = fit[0]
  if (!first) return undefined
  const peers = ids ? fit : fit.filter((entry) => kindPlace(entry) === kindPlace(first))
  let best: { readonly candidate: Candidate; readonly at: number } | undefined
  for (const candidate of peers) {
    const at = usageOf(candidate, state)?.lastGoodAt
    if (at !== undefined && (!best || at > best.at)) best = { candidate, at }
  }
  return best?.candidate
}

/** Logins before keys, profiles before what stands outside the book. */
function kindPlace(candidate: Candidate): number {
  switch (candidate.source.kind) {
    case 'store':
      return { oauth: 0, token: 1, api_key: 2 }[candidate.credential?.type ?? 'api_key']
    case 'variable':
      return candidate.credential?.type === 'token' ? 3 : 4
    case 'config':
      return 5
    case 'none_needed':
      return 6
    default:
      return candidate.source satisfies never
  }
}
