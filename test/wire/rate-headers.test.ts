import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keptQuota } from '../../src/domain/quota.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts'
import { readQuota } from '../../src/wire/rate-headers.ts'

const NOW = Date.UTC(2026, 10, 22, 12)
const seenAt = NOW
const inSeconds = (seconds: number): string => String(NOW / 1_000 + seconds)

describe('the limits that an answer tells', () => {
  test('of a key of Anthropic are counted, with an instant each', () => {
    const headers = {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '48',
      'anthropic-ratelimit-requests-reset': '2026-11-22T12:00:30Z',
      'anthropic-ratelimit-input-tokens-limit': '40000',
      'anthropic-ratelimit-input-tokens-remaining': '0',
      'anthropic-ratelimit-input-tokens-reset': '2026-11-22T12:01:00Z',
      'request-id': 'req_fake',
    }
    expect(readQuota(headers, NOW)).toEqual([
      { name: 'requests', used: 0.04, limit: 50, remaining: 48, resetsAt: NOW + 30_000, seenAt },
      {
        name: 'input-tokens',
        used: 1,
        limit: 40_000,
        remaining: 0,
        resetsAt: NOW + MINUTE_MS,
        seenAt,
      },
    ])
  })

  test('of a plan of Anthropic are shares of windows', () => {
    const headers = {
      'anthropic-ratelimit-unified-status': 'allowed_warning',
      'anthropic-ratelimit-unified-representative-claim': 'five_hour',
      'anthropic-ratelimit-unified-5h-status': 'allowed_warning',
      'anthropic-ratelimit-unified-5h-utilization': '0.93',
      'anthropic-ratelimit-unified-5h-reset': inSeconds(7_200),
      'anthropic-ratelimit-unified-7d-status': 'allowed',
      'anthropic-ratelimit-unified-7d-utilization': '0.25',
      'anthropic-ratelimit-unified-7d-reset': '2026-11-25T12:00:00Z',
      'anthropic-ratelimit-unified-overage-status': 'rejected',
    }
    expect(readQuota(headers, NOW)).toEqual([
      { name: '5h', used: 0.93, status: 'warning', resetsAt: NOW + 2 * HOUR_MS, seenAt },
      { name: '7d', used: 0.25, status: 'allowed', resetsAt: NOW + 3 * DAY_MS, seenAt },
    ])
  })

  test('of a plan with nothing but a verdict are that verdict, for the window that it names', () => {
    const headers = {
      'anthropic-ratelimit-unified-status': 'rejected',
      'anthropic-ratelimit-unified-reset': inSeconds(90),
    }
    expect(readQuota(headers, NOW)).toEqual([
      { name: 'plan', status: 'rejected', resetsAt: NOW + 90_000, seenAt },
    ])
    const claimed = {
      ...headers,
      'anthropic-ratelimit-unified-representative-claim': 'seven_day',
      'anthropic-ratelimit-unified-7d-utilization': '0.5',
    }
    expect(readQuota(claimed, NOW).map(({ name, status }) => [name, status])).toEqual([
      ['7d', 'rejected'],
    ])
  })

  test('of OpenAI and Groq are counted, with a length each', () => {
    const headers = {
      'x-ratelimit-limit-requests': '14400',
      'x-ratelimit-remaining-requests': '14370',
      'x-ratelimit-reset-requests': '2m59.56s',
      'x-ratelimit-limit-tokens': '6000',
      'x-ratelimit-remaining-tokens': '5997',
      'x-ratelimit-reset-tokens': '7ms',
    }
    expect(readQuota(headers, NOW)).toMatchObject([
      { name: 'requests', remaining: 14_370, resetsAt: NOW + 179_560 },
      { name: 'tokens', used: 0.0005, resetsAt: NOW + 7 },
    ])
  })

  test('of OpenRouter have no name and an instant in milliseconds', () => {
    const headers = {
      'x-ratelimit-limit': '50',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(NOW + HOUR_MS),
    }
    expect(readQuota(headers, NOW)).toEqual([
      { name: 'requests', used: 1, limit: 50, remaining: 0, resetsAt: NOW + HOUR_MS, seenAt },
    ])
  })

  test('of a plan of ChatGPT are named by their length; one of no length is none', () => {
    const headers = {
      'x-codex-primary-used-percent': '100',
      'x-codex-primary-window-minutes': '300',
      'x-codex-primary-reset-after-seconds': '13873',
      'x-codex-secondary-used-percent': '80',
      'x-codex-secondary-window-minutes': '10080',
      'x-codex-secondary-reset-at': inSeconds(316_705),
    }
    expect(readQuota(headers, NOW)).toEqual([
      { name: '5h', used: 1, status: 'rejected', resetsAt: NOW + 13_873_000, seenAt },
      { name: '7d', used: 0.8, resetsAt: NOW + 316_705_000, seenAt },
    ])
    const none = { 'x-codex-secondary-used-percent': '0', 'x-codex-secondary-window-minutes': '0' }
    expect(readQuota(none, NOW)).toEqual([])
  })

  test('that make no sense are left out', () => {
    const headers = {
      'x-ratelimit-remaining-requests': '-1',
      'x-ratelimit-remaining-tokens': 'plenty',
      'x-ratelimit-remaining-images': '7',
      'x-ratelimit-limit-images': '0',
      'x-ratelimit-reset-images': 'soon',
      'anthropic-ratelimit-unified-5h-utilization': '-3',
    }
    expect(readQuota(headers, NOW)).toEqual([{ name: 'images', remaining: 7, seenAt }])
  })

  test('are few and sound, whatever the headers hold', () => {
    const names = fc.constantFrom(
      'anthropic-ratelimit-requests-',
      'anthropic-ratelimit-unified-5h-',
      'anthropic-ratelimit-unified-',
      'x-codex-primary-',
    )
    const parts = fc.constantFrom(
      'limit',
      'remaining',
      'reset',
      'status',
      'utilization',
      'used-percent',
    )
    const own = fc.stringMatching(/^x-ratelimit-(?:limit|remaining|reset)-[a-z]{1,9}$/)
    const name = fc.oneof(
      fc.tuple(names, parts).map((pair) => pair.join('')),
      own,
    )
    const value = fc.oneof(fc.string(), fc.double().map(String), fc.constant('rejected'))
    fc.assert(
      fc.property(fc.dictionary(name, value), (headers) => {
        const windows = readQuota(headers, NOW)
        expect(windows.length).toBeLessThanOrEqual(12)
        for (const { used = 0, remaining = 0, resetsAt = NOW } of windows) {
          expect(used >= 0 && used <= 1 && remaining >= 0).toBe(true)
          expect(Number.isFinite(resetsAt)).toBe(true)
        }
        expect(new Set(keptQuota([], windows, NOW))).toEqual(new Set(windows))
      }),
    )
  })
})
