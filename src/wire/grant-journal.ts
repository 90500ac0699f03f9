/**
 * What lies in a grant's folder: the slots of attempt and answer, the list of spent tokens, the last verdict.
 *
 * A slot is written in place, into room that is there already, and bears a digest of itself: what is torn is seen.
 */

import { createHash } from 'node:crypto'
import * as v from 'valibot'

import type { Moment, TokenMark, Verdict } from '../domain/grant.ts'
import { parseTokenMark } from '../domain/grant.ts'
import type { Attempt, JournalPage, RawAnswer } from '../domain/renewal-ports.ts'
import { decodeOrDrop, parseJson } from './decode.ts'
import { Instant } from './instant.ts'

/** Room for an attempt, bytes: a page, so that it is written whole or not at all. */
export const ATTEMPT_BYTES = 4096
/** Room for an answer with its head, bytes. */
export const ANSWER_BYTES: number = 256 * 1024
/** Of an answer's body so much is kept, bytes; the head has the rest of the room. */
export const BODY_BYTES: number = 192 * 1024
/** So many spent tokens are remembered. */
const SPENT_KEPT = 256

const DIGEST_LENGTH = 64
const NEWLINE = 0x0a

const Count = v.pipe(v.number(), v.integer(), v.minValue(0))
const Mark: v.GenericSchema<unknown, TokenMark> = v.pipe(
  v.string(),
  v.transform(parseTokenMark),
  v.custom<TokenMark>((mark) => mark !== undefined),
)
const MomentSchema: v.GenericSchema<unknown, Moment> = v.object({
  at: Instant,
  boot: v.string(),
  upMs: v.number(),
})
const AttemptSchema: v.GenericSchema<unknown, Attempt> = v.object({
  id: v.string(),
  token: Mark,
  begun: MomentSchema,
  replays: Count,
  lostAt: v.exactOptional(Instant),
})
const AttemptSlot = v.object({ phase: v.picklist(['reserved', 'sent']), attempt: AttemptSchema })
const AnswerHead = v.object({
  attempt: v.string(),
  at: MomentSchema,
  status: Count,
  headers: v.record(v.string(), v.string()),
  length: Count,
  complete: v.boolean(),
})
const SpentLine = v.object({ token: Mark, moment: MomentSchema })

const Words = v.string()
const VerdictSchema: v.GenericSchema<unknown, Verdict> = v.object({
  token: Mark,
  moment: MomentSchema,
  tries: Count,
  againAfterMs: v.exactOptional(v.number()),
  config: v.exactOptional(v.string()),
  outcome: v.variant('kind', [
    v.object({ kind: v.literal('renewed'), spacingMs: v.number() }),
    v.object({
      kind: v.literal('not_sent'),
      reason: v.picklist([
        'storage',
        'network',
        'slept',
        'owner_busy',
        'owner_unwritable',
        'owner_unreadable',
        'owners_token',
        'owner_program',
        'unsafe_url',
      ]),
      words: Words,
    }),
    v.object({ kind: v.literal('not_consumed'), status: Count, words: Words }),
    v.object({ kind: v.literal('config'), error: v.string(), words: Words }),
    v.object({
      kind: v.literal('rejected'),
      error: v.string(),
      words: Words,
      lostAt: v.exactOptional(Instant),
    }),
    v.object({
      kind: v.literal('ambiguous'),
      words: Words,
      lostAt: Instant,
      replays: Count,
      answered: v.exactOptional(v.literal(true)),
    }),
    v.object({ kind: v.literal('quarantined'), expected: v.string(), got: v.string() }),
    v.object({ kind: v.literal('kept'), words: Words }),
    v.object({ kind: v.literal('spent'), spentAt: Instant }),
  ]),
})

/** @param phase `sent` is the point of no return */
export function renderAttemptSlot(phase: 'reserved' | 'sent', attempt: Attempt): Uint8Array {
  const text = JSON.stringify({ phase, attempt })
  return Buffer.from(`${digestOf(text)}\n${text}\n`.padEnd(ATTEMPT_BYTES))
}

/** A slot that holds nothing. */
export function emptyAttemptSlot(): Uint8Array {
  return Buffer.alloc(ATTEMPT_BYTES, ' ')
}

/** Undefined: nothing is noted. `torn`: something was being written. */
export function parseAttemptSlot(bytes: Uint8Array): JournalPage['attempt'] {
  const slot = Buffer.from(bytes).toString('utf8').trim()
  if (slot === '') return undefined
  const [digest, text = ''] = slot.split('\n')
  const parsed = digest === digestOf(text) ? parseJson(text) : undefined
  return (parsed?.ok && decodeOrDrop(AttemptSlot, parsed.value)) || 'torn'
}

/** The whole slot, for one write in place. */
export function renderAnswerSlot(attempt: Attempt, answer: RawAnswer, at: Moment): Uint8Array {
  const body = answer.body.subarray(0, BODY_BYTES)
  const head = JSON.stringify({
    attempt: attempt.id,
    at,
    status: answer.status,
    headers: answer.headers,
    length: body.length,
    complete: answer.complete && body.length === answer.body.length,
  })
  const content = Buffer.concat([Buffer.from(`${head}\n`), body])
  return Buffer.concat([Buffer.from(`${digestOf(content)}\n`), content])
}

/** The answer, if the slot holds a whole one. */
export function parseAnswerSlot(bytes: Uint8Array): JournalPage['answer'] {
  const slot = Buffer.from(bytes)
  if (slot[DIGEST_LENGTH] !== NEWLINE) return undefined
  const digest = slot.toString('latin1', 0, DIGEST_LENGTH)
  const rest = slot.subarray(DIGEST_LENGTH + 1)
  const headEnd = rest.indexOf(NEWLINE)
  if (headEnd < 0) return undefined
  const parsed = parseJson(rest.toString('utf8', 0, headEnd))
  const head = parsed.ok ? decodeOrDrop(AnswerHead, parsed.value) : undefined
  if (!head) return undefined
  const content = rest.subarray(0, headEnd + 1 + head.length)
  if (digestOf(content) !== digest) return undefined
  const { attempt, at, status, headers, complete } = head
  const body = new Uint8Array(content.subarray(headEnd + 1))
  return { attempt, at, answer: { status, headers, body, complete } }
}

/** One line of the list. */
export function renderSpentLine(token: TokenMark, moment: Moment): string {
  return `${JSON.stringify({ token, moment })}\n`
}

/** Lines that cannot be read are left out: a token that they named is refused by its provider. */
export function parseSpent(text: string): JournalPage['spent'] {
  const spent = new Map<TokenMark, Moment>()
  for (const line of text.split('\n')) {
    const parsed = line === '' ? undefined : parseJson(line)
    const entry = parsed?.ok ? decodeOrDrop(SpentLine, parsed.value) : undefined
    if (entry) spent.set(entry.token, entry.moment)
  }
  return new Map([...spent].slice(-SPENT_KEPT))
}

export function renderVerdict(verdict: Verdict): string {
  return `${JSON.stringify(verdict)}\n`
}

export function parseVerdict(text: string): Verdict | undefined {
  const parsed = parseJson(text)
  return parsed.ok ? decodeOrDrop(VerdictSchema, parsed.value) : undefined
}

function digestOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
