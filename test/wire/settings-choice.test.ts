import { describe, expect, test } from 'vitest'
import { provider } from '../names-from.ts'
import { decodeSettings, settingsFrom } from '../settings-from.ts'
import { strategyFor } from '../../src/domain/settings.ts'

const ANTHROPIC = provider('anthropic')

describe('how credentials are chosen', () => {
  test('is the default where the file says nothing', () => {
    const { auth } = settingsFrom({})
    expect(auth).toMatchObject({
      quotaThreshold: 0.98,
      lanes: { crossing: 'announce' },
      waitForRestMs: 10_000,
    })
    expect(strategyFor(settingsFrom({}), ANTHROPIC)).toBeUndefined()
  })

  test('is one strategy for all, or one for each provider', () => {
    const all = settingsFrom({ auth: { strategy: 'sticky' } })
    expect(strategyFor(all, ANTHROPIC)).toBe('sticky')
    const some = settingsFrom({ auth: { strategy: { Claude: 'ordered' } } })
    expect(strategyFor(some, ANTHROPIC)).toBe('ordered')
    expect(strategyFor(some, provider('openai'))).toBeUndefined()
  })

  test.each([
    [{ strategy: 'random' }, 'auth.strategy'],
    [{ strategy: { anthropic: 'random' } }, 'auth.strategy.anthropic'],
    [{ strategy: { anthropic: 'spread', Anthropic: 'sticky' } }, 'auth.strategy.Anthropic'],
    [{ quotaThreshold: 98 }, 'auth.quotaThreshold'],
    [{ lanes: { crossing: 'ask' } }, 'auth.lanes.crossing'],
    [{ waitForRestMs: -1 }, 'auth.waitForRestMs'],
  ])('%j is refused where it is wrong', (auth, field) => {
    expect(decodeSettings({ auth })).toMatchObject({
      fault: { code: 'EQ_CONFIG_FIELD', field },
    })
  })
})
