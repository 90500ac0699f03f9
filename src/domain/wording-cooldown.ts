/** What holds credentials back, in words. */

import type { Forbidden, Resting } from './resting.ts'
import type { EpochMs } from './time.ts'
import { relative } from './time.ts'
import { restWords } from './wording.ts'

/** `anthropic:work, anthropic:home`; `anthropic/opus of anthropic:work`; `everything at openai`. */
export function heldWords({ provider, profiles, model }: Resting): string {
  const whose = profiles.join(', ')
  if (model === undefined) return whose === '' ? `everything at ${provider}` : whose
  return whose === '' ? model : `${model} of ${whose}`
}

export function restingWords(resting: Resting, now: EpochMs): string {
  return restWords(resting.rest, now)
}

export function forbiddenWords({ at, words }: Forbidden, now: EpochMs): string {
  return `its provider refused this use ${relative(at, now)}: ${words}`
}
