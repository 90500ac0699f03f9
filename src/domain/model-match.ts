/**
 * Which of the known models a person may have meant, with a score that says how sure that is.
 *
 * The kind of likeness comes first and the share of the name that was typed second, so that no near miss outweighs a
 * beginning: 100 the whole name; 90 an alias; 70 to 89 the name begins so; 40 to 69 it holds the text; 10 to 39 it is
 * a few letters away.
 */

import type { ModelKey } from './names.ts'
import { formatModelKey } from './names.ts'
import { distanceTo } from './nearest.ts'

export type Likeness = 'exact' | 'alias' | 'prefix' | 'contains' | 'near'

export interface ModelMatch {
  readonly model: ModelKey
  readonly likeness: Likeness
  /** 10 to 100. */
  readonly score: number
}

/** Scores of each likeness: at least `from`, and up to `spread` more the more of the name was typed. */
const SCORES: Readonly<Record<Likeness, { readonly from: number; readonly spread: number }>> = {
  exact: { from: 100, spread: 0 },
  alias: { from: 90, spread: 0 },
  prefix: { from: 70, spread: 19 },
  contains: { from: 40, spread: 29 },
  near: { from: 10, spread: 29 },
}

export interface NamedModel extends ModelKey {
  readonly aliases: readonly string[]
}

/** Models that are like the text, the likeliest first; each once. */
export function matchModels(text: string, models: readonly NamedModel[]): readonly ModelMatch[] {
  const typed = text.toLowerCase()
  const best = new Map<string, ModelMatch>()
  for (const { provider, model, aliases } of models) {
    const key: ModelKey = { provider, model }
    const full = formatModelKey(key)
    for (const match of [
      likenessOf(typed, model, 'exact'),
      likenessOf(typed, full, 'exact'),
      ...aliases.map((alias) => likenessOf(typed, alias, 'alias')),
    ]) {
      if (!match || match.score <= (best.get(full)?.score ?? 0)) continue
      best.set(full, { model: key, ...match })
    }
  }
  return [...best.values()].toSorted(
    (a, b) => b.score - a.score || (formatModelKey(a.model) < formatModelKey(b.model) ? -1 : 1),
  )
}

/** The one model that was meant: nothing else is like it in the same way. Undefined: nobody can tell. */
export function clearMatch(matches: readonly ModelMatch[]): ModelMatch | undefined {
  const [first, second] = matches
  // A slip of the finger is asked about: it may as well mean a name that is not known here.
  if (!first || first.likeness === 'near' || first.likeness === second?.likeness) return undefined
  return first
}

function likenessOf(
  typed: string,
  name: string,
  whole: 'exact' | 'alias',
): Omit<ModelMatch, 'model'> | undefined {
  const known = name.toLowerCase()
  const share = Math.min(1, typed.length / known.length)
  if (known === typed) return scored(whole, 1)
  if (known.startsWith(typed)) return scored('prefix', share)
  if (known.includes(typed)) return scored('contains', share)
  const distance = distanceTo(typed, known)
  return distance === undefined
    ? undefined
    : scored('near', 1 - distance / Math.max(typed.length, known.length))
}

function scored(likeness: Likeness, share: number): Omit<ModelMatch, 'model'> {
  const { from, spread } = SCORES[likeness]
  return { likeness, score: from + Math.round(spread * share) }
}
