import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY_MS } from '../../src/domain/time.ts'
import { judgeReply } from '../../src/wire/upstream-reply.ts'

const NOW = Date.UTC(2026, 10, 22, 12)

describe('the words of a failure', () => {
  const wordsOf = (status: number, body: string): string =>
    judgeReply('openai-chat', status, {}, body, NOW).words

  test('are the message of the provider', () => {
    expect(
      wordsOf(400, JSON.stringify({ error: { message: 'no\n such\u001b[31m thing', type: 'x' } })),
    ).toBe('no such thing')
  })

  test('are the title of a page', () => {
    expect(wordsOf(502, '<html><title>502 Bad Gateway</title><body>…</body></html>')).toBe(
      '502 Bad Gateway',
    )
  })

  test('say so when there is no message', () => {
    expect(wordsOf(500, '')).toBe('status 500 without a message')
    expect(wordsOf(500, '{"error":{"code":"x"}}')).toBe('status 500 without a message')
  })
})

test('any reply at all is judged', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 599 }),
      fc.dictionary(fc.constantFrom('retry-after', 'retry-after-ms'), fc.string()),
      fc.oneof(fc.string(), fc.json()),
      (status, headers, body) => {
        const failure = judgeReply('anthropic-messages', status, headers, body, NOW)
        expect(failure.words.length).toBeGreaterThan(0)
        expect([...failure.words].length).toBeLessThanOrEqual(300)
        expect(failure.retryAfterMs ?? 1).toBeGreaterThan(0)
        expect(failure.retryAfterMs ?? 1).toBeLessThanOrEqual(32 * DAY_MS)
      },
    ),
  )
})
