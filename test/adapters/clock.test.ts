import { describe, it } from 'vitest'
import { createClock } from '../../src/adapters/clock.ts'

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
