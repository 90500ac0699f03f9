import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TranscriptEntry } from '../../src/domain/chat.ts'
import { DEFAULT_SESSION, MAIN_AGENT, parseProfileId } from '../../src/domain/names.ts'
import type { SessionHead } from '../../src/domain/ports.ts'
import { fail, ok } from '../../src/domain/result.ts'
import {
  parseSessionHead,
  parseTranscript,
  renderSessionHead,
  renderTranscriptLines,
} from '../../src/wire/session-file.ts'

const profile = parseProfileId('anthropic:work')
if (!profile) throw new Error('bad id')
const parseHead = (text: string) => parseSessionHead(text, MAIN_AGENT, DEFAULT_SESSION)
const HEAD: SessionHead = {
  id: DEFAULT_SESSION,
  agent: MAIN_AGENT,
  createdAt: 1,
  updatedAt: 2,
  title: 'Hello',
  model: 'anthropic/claude-opus',
  pin: { profile, source: 'user', account: { accountId: 'acc-1', email: 'me@example.com' } },
  turns: 3,
  startedAt: 1,
}

const entries: fc.Arbitrary<TranscriptEntry> = fc
  .tuple(
    fc.record({
      at: fc.integer({ min: 0, max: 4_000_000_000_000 }),
      role: fc.constantFrom('user' as const, 'assistant' as const),
      text: fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
    }),
    fc.record(
      {
        model: fc.string(),
        profile: fc.constant(profile),
        usage: fc.record({ inputTokens: fc.nat(), outputTokens: fc.nat() }),
        partial: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([base, rest]) => ({ ...base, ...rest }))

describe('the head of a session', () => {
  it('comes back as it was', () => {
    expect(parseHead(renderSessionHead(HEAD))).toEqual(ok(HEAD))
    const bare = { id: HEAD.id, agent: HEAD.agent, createdAt: 1, updatedAt: 1, turns: 0 }
    expect(parseHead(renderSessionHead(bare))).toEqual(ok(bare))
  })

  it('belongs to the agent and session of its place, whatever it says', () => {
    const text = JSON.stringify({ ...HEAD, id: '../../etc', agent: 'other' })
    expect(parseHead(text)).toEqual(ok(HEAD))
  })

  it.each([
    ['{"createdAt"', { line: 1, column: 13 }],
    ['5', { field: 'the whole file', expected: 'an object' }],
    ['{}', { field: 'createdAt', expected: 'a value' }],
    [
      JSON.stringify({ ...HEAD, pin: { profile: 'bad', source: 'user' } }),
      { field: 'pin.profile', expected: 'a name such as anthropic:work' },
    ],
  ])('%s is refused by line or by field', (text, fault) => {
    expect(parseHead(text)).toEqual(fail(fault))
  })
})

describe('a transcript', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(entries), (list) => {
        expect(parseTranscript(renderTranscriptLines(list))).toEqual(list)
      }),
    )
  })

  it('loses to a crash at any byte nothing but the entries that the crash cut off', () => {
    fc.assert(
      fc.property(fc.array(entries, { minLength: 1, maxLength: 4 }), fc.nat(), (list, seed) => {
        const bytes = Buffer.from(renderTranscriptLines(list))
        const cut = bytes.subarray(0, seed % bytes.length).toString('utf8')
        const whole = cut.split('\n').length - 1
        const found = parseTranscript(cut)
        expect(found.slice(0, whole)).toEqual(list.slice(0, whole))
        expect(found.length).toBeLessThanOrEqual(whole + 1)
      }),
    )
  })
})
