import { describe, expect, test } from 'vitest'
import { typedEnd, typedTerms } from '../../src/cli/typed-client.ts'
import { FAKE_NOW } from '../../src/testing.ts'

const DAY = 86_400_000

describe('when a key ends', () => {
  test.each([
    ['30d', FAKE_NOW + 30 * DAY],
    ['12h', FAKE_NOW + DAY / 2],
    ['2026-01-01', FAKE_NOW + DAY],
    ['2026-12-31', Date.UTC(2027, 0, 1)],
  ])('%s', (text, at) => {
    expect(typedEnd(text, FAKE_NOW)).toEqual({ ok: true, value: at })
  })

  test.each(['2025-12-31', '2026-02-30', '2026-13-01', 'tomorrow', '', '-3d', '0d'])(
    '"%s" is refused',
    (text) => {
      expect(typedEnd(text, FAKE_NOW)).toMatchObject({ fault: { code: 'EQ_USAGE' } })
    },
  )
})

test('limits are read together; what was not typed is not limited', () => {
  expect(typedTerms({}, FAKE_NOW)).toEqual({ ok: true, value: {} })
  expect(
    typedTerms(
      {
        agent: 'Main',
        models: ' opus, anthropic/*,opus ,',
        profiles: 'Anthropic:work',
        budget: '5usd/day',
        rate: '60/min',
        expires: '1d',
      },
      FAKE_NOW,
    ),
  ).toEqual({
    ok: true,
    value: {
      agent: 'main',
      models: ['opus', 'anthropic/*'],
      profiles: ['anthropic:work'],
      budget: { daily: { usd: 5 } },
      rate: { requests: 60, perMs: 60_000 },
      expiresAt: FAKE_NOW + DAY,
    },
  })
})

test.each([
  [{ budget: '5eur/day' }, 'EQ_USAGE', '5usd/day'],
  [{ rate: 'often' }, 'EQ_USAGE', '60/min'],
  [{ expires: 'never' }, 'EQ_USAGE', '30d'],
  [{ profiles: 'work' }, 'EQ_NAME_INVALID', ''],
  [{ agent: '../x' }, 'EQ_NAME_INVALID', ''],
])('%j is refused with an example', (options, code, example) => {
  const typed = typedTerms(options, FAKE_NOW)
  expect(typed).toMatchObject({ ok: false, fault: { code } })
  expect(JSON.stringify(typed)).toContain(example)
})
