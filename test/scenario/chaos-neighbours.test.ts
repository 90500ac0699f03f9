import { describe, expect, it } from 'vitest'
import { passes } from './chaos.ts'

const LONG_MS = 180_000

describe('a login that others use as well', { timeout: LONG_MS }, () => {
  it('of Claude Code is renewed once, by whoever comes first, and its file stays as it is otherwise', async () => {
    expect(await passes(8)).toMatchObject({ interleavings: 20, 'logged out': 0 })
  })

  it('of eighteen agents is renewed when it is needed, and at no other time of the day', async () => {
    expect(await passes(9)).toMatchObject({ agents: 18, days: 3 })
  })
})
