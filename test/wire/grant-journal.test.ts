import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Moment, Verdict } from '../../src/domain/grant.ts'
import { markOf } from '../../src/domain/grant.ts'
import type { Attempt, RawAnswer } from '../../src/domain/renewal-ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { FAKE_NOW } from '../../src/testing.ts'
import {
  ATTEMPT_BYTES,
  BODY_BYTES,
  emptyAttemptSlot,
  parseAnswerSlot,
  parseAttemptSlot,
  parseSpent,
  parseVerdict,
  renderAnswerSlot,
  renderAttemptSlot,
  renderSpentLine,
  renderVerdict,
} from '../../src/wire/grant-journal.ts'

const token = markOf(new Secret('refresh-made-up'))
const moment: Moment = { at: FAKE_NOW, boot: 'one', upMs: 5 }
const attempt: Attempt = { id: 'a1', token, begun: moment, replays: 1, lostAt: FAKE_NOW }
const answer: RawAnswer = {
  status: 200,
  headers: { 'retry-after': '3' },
  body: new Uint8Array(Buffer.from('{"access_token":"é"}')),
  complete: true,
}

describe('the slot of an attempt', () => {
  test('gives back what was put in', () => {
    for (const phase of ['reserved', 'sent'] as const) {
      const slot = renderAttemptSlot(phase, attempt)
      expect(slot).toHaveLength(ATTEMPT_BYTES)
      expect(parseAttemptSlot(slot)).toEqual({ phase, attempt })
    }
  })

  test('holds nothing when it is empty or was never written', () => {
    expect(parseAttemptSlot(emptyAttemptSlot())).toBeUndefined()
    expect(parseAttemptSlot(new Uint8Array())).toBeUndefined()
  })

  test('is torn when any byte of it is another', () => {
    const slot = renderAttemptSlot('sent', attempt)
    const length = Buffer.from(slot).toString('utf8').trimEnd().length
    fc.assert(
      fc.property(fc.nat(length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const torn = Uint8Array.from(slot)
        torn[place] = (torn[place] ?? 0) ^ change
        expect(parseAttemptSlot(torn)).toBe('torn')
      }),
    )
  })
})

describe('the slot of an answer', () => {
  test('gives back what was put in, whatever stood behind it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000 }), fc.uint8Array(), (body, rest) => {
        const given = { ...answer, body }
        const slot = Buffer.concat([renderAnswerSlot(attempt, given, moment), rest])
        expect(parseAnswerSlot(slot)).toEqual({ attempt: 'a1', at: moment, answer: given })
      }),
    )
  })

  test('is no answer when it is cut or a byte of it is another', () => {
    const slot = renderAnswerSlot(attempt, answer, moment)
    fc.assert(
      fc.property(fc.nat(slot.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const torn = Uint8Array.from(slot)
        torn[place] = (torn[place] ?? 0) ^ change
        expect(parseAnswerSlot(torn)).toBeUndefined()
        expect(parseAnswerSlot(slot.subarray(0, place))).toBeUndefined()
      }),
    )
  })

  test('says of a body that is larger than its room that it is not complete', () => {
    const large = { ...answer, body: new Uint8Array(BODY_BYTES + 1).fill(32) }
    expect(parseAnswerSlot(renderAnswerSlot(attempt, large, moment))?.answer.complete).toBe(false)
  })
})

describe('the list of spent tokens', () => {
  test('is read past lines that a crash left unfinished', () => {
    const line = renderSpentLine(token, moment)
    expect([...parseSpent(`\n${line}{"tok\n\n${line}`)]).toEqual([[token, moment]])
  })

  test('remembers the last 256', () => {
    const marks = Array.from({ length: 300 }, (_, index) => markOf(new Secret(`t${index}`)))
    const spent = parseSpent(marks.map((mark) => renderSpentLine(mark, moment)).join(''))
    expect(spent.size).toBe(256)
    expect(spent.has(marks[299] ?? token)).toBe(true)
    expect(spent.has(marks[0] ?? token)).toBe(false)
  })
})

describe('a verdict', () => {
  test.each<Verdict['outcome']>([
    { kind: 'renewed', spacingMs: 60_000 },
    { kind: 'not_sent', reason: 'network', words: 'w' },
    { kind: 'not_consumed', status: 429, words: 'w' },
    { kind: 'config', error: 'invalid_client', words: 'w' },
    { kind: 'rejected', error: 'invalid_grant', words: 'w', lostAt: FAKE_NOW },
    { kind: 'ambiguous', words: 'w', lostAt: FAKE_NOW, replays: 2 },
    { kind: 'quarantined', expected: 'a', got: 'b' },
    { kind: 'kept', words: 'w' },
    { kind: 'spent', spentAt: FAKE_NOW },
  ])('of the kind $kind is read as it was written', (outcome) => {
    const verdict: Verdict = { token, moment, tries: 2, againAfterMs: 5, config: 'c', outcome }
    expect(parseVerdict(renderVerdict(verdict))).toEqual(verdict)
  })

  test('that cannot be read is none', () => {
    expect(parseVerdict('{')).toBeUndefined()
    expect(parseVerdict('{"token":"x"}')).toBeUndefined()
  })
})
