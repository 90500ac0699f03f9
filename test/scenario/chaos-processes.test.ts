import { describe, expect, it } from 'vitest'
import { passes } from './chaos.ts'

const LONG_MS = 180_000

describe('one login among many processes', { timeout: LONG_MS }, () => {
  it('is renewed with one send, whoever asks at once', async () => {
    expect(await passes(1)).toMatchObject({ sends: 2, 'their sends': 1 })
  })

  it('is not lost when whoever asked is killed', async () => {
    expect(await passes(2)).toMatchObject({ kills: 50, 'lost tokens': 0 })
  })

  it('is called dead by its provider alone, wherever the process that renews is killed', async () => {
    expect(await passes(3)).toMatchObject({ 'false "dead"': 0 })
  })

  it('is sent once by suspended holders and wrong clocks, and the next one has the lock at once', async () => {
    expect(await passes(7)).toMatchObject({ 'double sends': 0 })
  })
})
