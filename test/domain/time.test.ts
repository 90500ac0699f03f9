import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  DAY_MS,
  dateText,
  dayText,
  HOUR_MS,
  inWords,
  isInstant,
  MINUTE_MS,
  parseDuration,
  parseWait,
  relative,
  SECOND_MS,
} from '../../src/domain/time.ts'

const NOW = Date.UTC(2026, 0, 1)

describe('a typed time to wait', () => {
  test.each([
    ['8s', 8 * SECOND_MS],
    ['8', 8 * SECOND_MS],
    ['1.5', 1_500],
    [' 2 m ', 2 * MINUTE_MS],
    ['250ms', 250],
  ])('%s is %d ms', (text, ms) => {
    expect(parseWait(text)).toBe(ms)
  })

  test.each(['', '0', '.', '1.2.3', '-1', 'soon'])('%j is none', (text) => {
    expect(parseWait(text)).toBeUndefined()
  })
})

describe('a typed duration', () => {
  test.each([
    ['365d', 365 * DAY_MS],
    ['1y', 365 * DAY_MS],
    ['2w', 14 * DAY_MS],
    ['12h', 12 * HOUR_MS],
    ['1.5h', 90 * MINUTE_MS],
    ['90m', 90 * MINUTE_MS],
    ['30s', 30 * SECOND_MS],
    ['250ms', 250],
    [' 7 D ', 7 * DAY_MS],
    ['30', 30 * DAY_MS],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each([
    '',
    'd',
    '0',
    '0d',
    '-1d',
    '1e3',
    '1d2h',
    'soon',
    '٣d',
    '1.d',
    '99999999999999y',
    'NaN',
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  test('is undefined or a positive whole number of ms, whatever is typed', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = parseDuration(text)
        return ms === undefined || (Number.isSafeInteger(ms) && ms > 0)
      }),
    )
  })
})

describe('in words', () => {
  test.each([
    [0, '0 s'],
    [59_999, '1 min'],
    [2 * MINUTE_MS - 1, '2 min'],
    [MINUTE_MS, '1 min'],
    [HOUR_MS - 1, '1 h'],
    [47 * HOUR_MS, '47 h'],
    [48 * HOUR_MS, '2 days'],
    [-20 * DAY_MS, '20 days'],
  ])('%d ms is %s', (ms, words) => {
    expect(inWords(ms)).toBe(words)
  })

  test('an instant is told from now on, or as a date where now is not known', () => {
    expect(relative(NOW + 3 * HOUR_MS, NOW)).toBe('in 3 h')
    expect(relative(NOW - 3 * DAY_MS, NOW)).toBe('3 days ago')
    expect(relative(NOW + 999, NOW)).toBe('now')
    expect(relative(NOW, undefined)).toBe('on 2026-01-01 00:00 UTC')
  })

  test('a date is never an exception', () => {
    fc.assert(fc.property(fc.double(), (at) => typeof dateText(at) === 'string'))
    expect(dateText(Number.NaN)).toBe('an impossible date')
    expect(isInstant(8_640_000_000_000_001)).toBe(false)
  })
})

test('the day of an instant is its UTC day', () => {
  expect(dayText(Date.UTC(2026, 10, 24, 23, 59))).toBe('2026-11-24')
  expect(dayText(Number.NaN)).toBe('an impossible date')
})
