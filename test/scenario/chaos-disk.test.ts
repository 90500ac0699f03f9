import { describe, expect, it } from 'vitest'
import { passes } from './chaos.ts'

const LONG_MS = 180_000

describe('the book on a disk', { timeout: LONG_MS }, () => {
  it('is whole and has every acknowledged save, whenever its writers are killed', async () => {
    expect(await passes(4)).toMatchObject({
      unreadable: 0,
      'wrong mode': 0,
      'acknowledged saves lost': 0,
    })
  })

  it('is whole and has every acknowledged save, whichever file operation fails', async () => {
    expect(await passes(5)).toMatchObject({ 'runs in one process': expect.any(Number) })
  })
})
