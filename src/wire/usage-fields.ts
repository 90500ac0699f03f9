/** How providers count tokens, in the spellings of the three protocols. Counts that make no sense are left out. */

import * as v from 'valibot'
import type { TokenUsage } from '../domain/ledger.ts'
import { decodeOrDrop } from './decode.ts'

const count = v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0)))
const details = v.nullish(v.object({ cached_tokens: count }))

const USAGE = v.object({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
  input_tokens_details: details,
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: details,
})
type Fields = v.InferOutput<typeof USAGE>

const inside = v.nullish(v.object({ usage: v.nullish(USAGE) }))
/** Where it stands: in the body or event itself, in Anthropic's first event, in the last one of OpenAI's responses. */
const HOLDER = v.object({ usage: v.nullish(USAGE), message: inside, response: inside })

/** The counts that a body or an event holds; undefined when it holds none. */
export function usageFrom(holder: unknown): TokenUsage | undefined {
  const held = decodeOrDrop(HOLDER, holder)
  const fields = held?.usage ?? held?.message?.usage ?? held?.response?.usage
  return fields ? usageOf(fields) : undefined
}

/** Later counts are of the whole answer, so they take the place of earlier ones; a later nought says nothing. */
export function mergedUsage(
  before: TokenUsage | undefined,
  later: TokenUsage | undefined,
): TokenUsage | undefined {
  if (!before || !later) return later ?? before
  const cacheReadTokens = later.cacheReadTokens ?? before.cacheReadTokens
  const cacheWriteTokens = later.cacheWriteTokens ?? before.cacheWriteTokens
  return {
    inputTokens: later.inputTokens || before.inputTokens,
    outputTokens: later.outputTokens || before.outputTokens,
    ...(cacheReadTokens !== undefined && { cacheReadTokens }),
    ...(cacheWriteTokens !== undefined && { cacheWriteTokens }),
  }
}

function usageOf(fields: Fields): TokenUsage | undefined {
  const input = fields.prompt_tokens ?? fields.input_tokens
  const output = fields.completion_tokens ?? fields.output_tokens
  if (typeof input !== 'number' && typeof output !== 'number') return undefined
  const read = fields.cache_read_input_tokens ?? undefined
  const written = fields.cache_creation_input_tokens ?? undefined
  const cached =
    fields.prompt_tokens_details?.cached_tokens ??
    fields.input_tokens_details?.cached_tokens ??
    undefined
  const cacheReadTokens = read ?? cached
  return {
    // Anthropic counts what goes through its cache apart from the rest of the input; the others count it in.
    inputTokens: typeof input === 'number' ? input + (read ?? 0) + (written ?? 0) : 0,
    outputTokens: output ?? 0,
    ...(cacheReadTokens !== undefined && { cacheReadTokens }),
    ...(written !== undefined && { cacheWriteTokens: written }),
  }
}
