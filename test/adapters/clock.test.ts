import { describe, expect, it } from 'vitest'
import { createClock } from '../../src/adapters/clock.ts'
import { createIds } from '../../src/adapters/ids.ts'

describe('the clock', () => {
  it('wakes a sleeper early when its signal aborts, before or during its sleep', async () => {
    const clock = createClock()
    const hurry = new AbortController()
    const asleep = clock.sleep(3_600_000, hurry.signal)
    hurry.abort()
    await asleep
    await clock.sleep(3_600_000, hurry.signal)
  })
})

describe('an id', () => {
  it('is 128 bits of lower-case hex and never the same', () => {
    const ids = createIds()
    const made = Array.from({ length: 100 }, () => ids.random())
    expect(made.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true)
    expect(new Set(made).size).toBe(100)
  })
})
