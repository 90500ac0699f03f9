/** From what a person pastes to a secret: wraps, quotes and shell words come off; half a secret is refused. */

import type { SecretFault } from './fault.ts'
import type { ProviderFacts, SecretShape } from './provider.ts'
import type { Result } from './result.ts'
import { fail, ok } from './result.ts'
import { Secret } from './secret.ts'

export interface PastedSecret {
  readonly secret: Secret
  /** The known shape that it has; absent: it begins like none of this provider's secrets. */
  readonly shape?: SecretShape
}

const MAX_LENGTH = 8_192
/** What no HTTP header can hold as part of a secret. */
const STRANGE = /[^\x21-\x7e]/

/** Texts that stand for a secret in documentation or in a masked screen. */
const PLACEHOLDERS =
  /^(?:placeholder|changeme|secret|token|password|api[-_]?key|none|null|undefined|\.{3,}|…+|\*+|x{4,}|<[^>]*>|\[[^\]]*\]|your[-_ ].*|(?:sk-[a-z-]*)?(?:\.{3,}|…|\*{3,}|x{6,}).*|\$\{?\w+\}?)$/i

/** A shell's assignment and its value. A name of one word with nothing but `=` behind it is a secret with padding. */
const ASSIGNMENT =
  /^(?:(?:export\s+|set\s+|\$env:)\w+|[A-Z][A-Z0-9]*_[A-Z0-9_]*|[A-Za-z_]\w*(?=\s*=\s*[^\s=]))\s*=\s*([\s\S]*)$/

/**
 * @faults `EQ_SECRET_EMPTY`, `EQ_SECRET_PLACEHOLDER`, `EQ_SECRET_TOO_LONG`, `EQ_SECRET_CHARACTERS` with the position
 *   from 1, `EQ_SECRET_FOREIGN` when it begins as only another provider's do, `EQ_SECRET_TRUNCATED` when it begins like a secret of this provider and is shorter than they are
 */
export function parseSecretText(
  text: string,
  facts: ProviderFacts,
  others: Iterable<ProviderFacts> = [],
): Result<PastedSecret, SecretFault> {
  const cleaned = clean(text)
  if (cleaned === '') return fail({ code: 'EQ_SECRET_EMPTY' })
  if (PLACEHOLDERS.test(cleaned)) return fail({ code: 'EQ_SECRET_PLACEHOLDER' })
  if (cleaned.length > MAX_LENGTH)
    return fail({ code: 'EQ_SECRET_TOO_LONG', maxLength: MAX_LENGTH })
  const strange = cleaned.search(STRANGE)
  if (strange >= 0) return fail({ code: 'EQ_SECRET_CHARACTERS', position: strange + 1 })
  const foreign = foreignShape(cleaned, facts, others)
  if (foreign) return fail(foreign)
  const shape = facts.shapes.find((entry) => cleaned.startsWith(entry.prefix))
  if (shape && cleaned.length < shape.minLength) {
    const { minLength, prefix } = shape
    return fail({ code: 'EQ_SECRET_TRUNCATED', length: cleaned.length, minLength, prefix })
  }
  return ok({ secret: new Secret(cleaned), ...(shape && { shape }) })
}

/** No provider's token is as short as this, characters. */
const SHORTEST_TOKEN = 40

/**
 * Whether what was pasted can be a token of this provider's. One that begins otherwise than they do today may still be one.
 *
 * @faults `EQ_SECRET_KEY` it is an API key; `EQ_SECRET_TRUNCATED` it is far too short for one
 */
export function checkIsToken(
  { secret, shape }: PastedSecret,
  { id, shapes }: ProviderFacts,
): Result<void, SecretFault> {
  if (shape?.type === 'api_key')
    return fail({ code: 'EQ_SECRET_KEY', provider: id, prefix: shape.prefix })
  const { length } = secret.reveal()
  const usual = shapes.find(({ type }) => type === 'token')
  if (shape || !usual || length >= SHORTEST_TOKEN) return ok()
  const { minLength, prefix } = usual
  return fail({ code: 'EQ_SECRET_TRUNCATED', length, minLength, prefix })
}

/** `sk-` alone is used by many servers; a longer beginning tells whose a secret is. */
const SHORTEST_TELLING = 3

/** A longer known beginning is the truer one: an `sk-ant-…` begins with `sk-` and is not OpenAI's. */
function foreignShape(
  text: string,
  facts: ProviderFacts,
  others: Iterable<ProviderFacts>,
): SecretFault | undefined {
  if (facts.shapes.length === 0) return undefined
  const matched = (shapes: readonly SecretShape[]): string =>
    shapes
      .map(({ prefix }) => prefix)
      .filter((prefix) => text.startsWith(prefix))
      .reduce((longest, prefix) => (prefix.length > longest.length ? prefix : longest), '')
  const own = matched(facts.shapes)
  for (const { id, shapes, keyless } of others) {
    const prefix = matched(shapes)
    if (keyless === undefined && prefix.length > Math.max(own.length, SHORTEST_TELLING)) {
      return { code: 'EQ_SECRET_FOREIGN', provider: facts.id, owner: id, prefix }
    }
  }
  return undefined
}

/** What keeps a secret that came by another way than a paste from being one. */
export function unusableSecret(secret: Secret): 'placeholder' | 'malformed' | undefined {
  const text = secret.reveal()
  if (PLACEHOLDERS.test(text)) return 'placeholder'
  return STRANGE.test(text) ? 'malformed' : undefined
}

function clean(text: string): string {
  const lines = text
    .replace(/^\ufeff/, '')
    .replace(/\r/g, '')
    .trim()
  const value = (ASSIGNMENT.exec(lines)?.[1] ?? lines).trim().replace(/;$/, '')
  const quoted = /^(["'`])([\s\S]*)\1$/.exec(value)
  const bare = (quoted?.[2] ?? value).replace(/^(?:authorization\s*:\s*)?bearer\s+/i, '')
  // A terminal wraps a long token; the breaks and the spaces beside them are not part of it.
  return bare.replace(/\s*\n\s*/g, '').trim()
}
