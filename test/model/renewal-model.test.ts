import { describe, expect, test } from 'vitest'

import type { Bounds, Removed } from './renewal-model.ts'
import { explore } from './renewal-model.ts'
import type { ServerKind } from './token-oracle.ts'

const CALM: Bounds = {
  kills: 0,
  powerCuts: 0,
  losses: 0,
  logins: 0,
  restores: 0,
  fullDisks: 0,
  helpers: 1,
}
const KINDS: readonly ServerKind[] = ['strict', 'grace', 'idempotent', 'norotate']

/** An exploration is computing alone; a busy machine takes its time. */
const LONG_MS = 60_000

describe.each(KINDS)('with a server of the kind %s', { timeout: LONG_MS }, (kind) => {
  test.each([
    ['two helpers, two kills', { kills: 2, helpers: 2 }],
    ['two helpers, a kill, a lost answer', { kills: 1, losses: 1, helpers: 2 }],
    ['three lost answers', { losses: 3, helpers: 2 }],
    ['two helpers, a kill, a power cut', { kills: 1, powerCuts: 1, helpers: 2 }],
    ['a login in between, a kill', { kills: 1, logins: 1, helpers: 2 }],
    ['a full disk, a kill', { kills: 1, fullDisks: 1, helpers: 2 }],
    ['a backup that is put back, a lost answer', { losses: 1, restores: 1, helpers: 2 }],
  ] as const)('nothing breaks: %s', async (_, misfortunes) => {
    const explored = await explore(kind, { ...CALM, ...misfortunes })
    expect(explored.broken).toBeUndefined()
    expect(explored.schedules).toBeGreaterThan(10)
  })
})

describe('every safeguard is needed', { timeout: LONG_MS }, () => {
  test.each<[Removed, Partial<Bounds>, Removed?]>([
    ['lock', { helpers: 2 }],
    ['re_read', { helpers: 2 }, 'spent_list'],
    ['write_ahead', { kills: 1 }],
    ['keep_answer', { kills: 1 }],
    ['durable_note', { powerCuts: 1 }],
    ['durable_answer', { powerCuts: 1 }],
    ['durable_book', { powerCuts: 1 }],
    ['reserved_room', { fullDisks: 1 }],
    ['compare_and_swap', { logins: 1 }],
    ['spent_list', { restores: 1, helpers: 2 }],
    ['only_servers_verdict', { losses: 1 }],
    ['never_give_up', { losses: 3 }],
    ['token_stays_while_sending', { kills: 1 }],
  ])('without %s something breaks', async (removed, misfortunes, ...too) => {
    const without = [removed, ...too.filter((more) => more !== undefined)]
    const explored = await explore('strict', { ...CALM, ...misfortunes }, without)
    expect(explored.broken).toBeDefined()
  })
})
