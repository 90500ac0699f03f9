import { describe, expect, test } from 'vitest'

import type { ForeignLogin, ForeignReading } from '../../src/domain/foreign.ts'
import { markOf } from '../../src/domain/grant.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { bookHome, ownedAlone } from '../../src/services/token-home.ts'
import { aBook, memoryProfileStore } from '../../src/testing.ts'
import { agent, profile } from '../names-from.ts'

const ID = profile('anthropic:mine')
const REFRESH = new Secret('refresh-0')

const owned = (refresh: Secret): ForeignReading =>
  ok<ForeignLogin>({
    origin: 'claude-code',
    place: 'there',
    access: new Secret('access-0'),
    type: 'oauth',
    refreshMark: markOf(refresh),
  })

/** Our own login, beside what stands in the owner's home. */
function prepared(reading: ForeignReading, origin: 'claude-code' | 'codex-cli' = 'claude-code') {
  const credential = { type: 'oauth' as const, access: new Secret('access-0'), refresh: REFRESH }
  const profiles = memoryProfileStore({
    main: aBook({ id: ID, credential, origin: 'equabot' }),
  })
  const home = bookHome(profiles, agent('main'), ID, (login) => login)
  const owner = { origin, place: () => 'there', read: async () => reading }
  return ownedAlone(home, [owner], ID).prepare()
}

describe('a login of our own', () => {
  test('is ready when its owner holds another', async () => {
    expect(await prepared(owned(new Secret('another')))).toMatchObject({ ok: true })
    expect(await prepared(ok(undefined))).toMatchObject({ ok: true })
  })

  test('is not renewed when another program holds its refresh token too', async () => {
    for (const origin of ['claude-code', 'codex-cli'] as const) {
      expect(await prepared(owned(REFRESH), origin)).toEqual(
        fail({ reason: 'owners_token', words: 'its refresh token is the one in there' }),
      )
    }
  })

  test('is not renewed while it cannot be seen what the program of its provider holds', async () => {
    const unreadable = fail({
      code: 'EQ_FOREIGN_UNREADABLE',
      origin: 'claude-code',
      place: 'there',
      errno: 'EACCES',
    } as const)
    expect(await prepared(unreadable)).toMatchObject({ fault: { reason: 'owner_unreadable' } })
    expect(await prepared(unreadable, 'codex-cli')).toMatchObject({ ok: true })
  })

  test('is ready when its owner has logged out', async () => {
    const blank = fail({ code: 'EQ_FOREIGN_BLANK', origin: 'claude-code', place: 'there' } as const)
    expect(await prepared(blank)).toMatchObject({ ok: true })
  })
})
