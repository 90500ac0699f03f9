import { describe, expect, test } from 'vitest'

import { orThrow } from '../../src/domain/equabot-error.ts'
import { explain } from '../../src/domain/explain.ts'
import { markOf, newGrantId } from '../../src/domain/grant.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { RenewalOrder } from '../../src/domain/renewal-ports.ts'
import type { Profile } from '../../src/domain/profile.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS, SECOND_MS } from '../../src/domain/time.ts'
import { aBook, anAnswer, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { MODEL } from '../arbitrary-worlds.ts'
import { profile, provider } from '../names-from.ts'
import type { Furnishing, House } from './house.ts'
import { encode, house, renewedAccess, renewingHelper, sentKey } from './house.ts'

const ID = profile('anthropic:me')
const KEY = profile('anthropic:key')
const REFRESH = new Secret('refresh-0')

const login = (leftMs: number): Profile => ({
  id: ID,
  origin: 'equabot',
  credential: {
    type: 'oauth',
    access: new Secret('access-0'),
    refresh: REFRESH,
    expiresAt: FAKE_NOW + leftMs,
  },
})

async function send(at: House): ReturnType<House['dispatch']> {
  return at.dispatch({
    world: orThrow(await at.loadWorld(MAIN_AGENT)),
    models: [MODEL],
    encode,
    signal: new AbortController().signal,
  })
}
const sent = (at: House): readonly (string | undefined)[] => at.upstream.requests.map(sentKey)

/** A machine with a login, a key behind it, and what the helper was asked. */
function machine(
  leftMs: number,
  more: Furnishing = {},
): { readonly at: House; readonly orders: RenewalOrder[] } {
  const orders: RenewalOrder[] = []
  const { helper = renewingHelper, ...rest } = more
  const at = house({
    books: { main: aBook(login(leftMs), aProfile(KEY)) },
    helper: (order, room) => {
      orders.push(order)
      return helper(order, room)
    },
    ...rest,
  })
  return { at, orders }
}

describe('a request whose access has ended', () => {
  test('is served with new access, and nobody is blamed', async () => {
    const { at, orders } = machine(-1)
    const served = orThrow(await send(at))
    expect(sent(at)).toEqual([renewedAccess(ID).reveal()])
    expect(served.attempts).toEqual([])
    expect(orders).toMatchObject([
      { profile: ID, urge: 'use', unwanted: markOf(new Secret('access-0')) },
    ])
  })

  test('is served by the next candidate when it cannot be renewed, and says why', async () => {
    const { at } = machine(-1, {
      helper: async ({ grant }, { grants, clock }) => {
        await grants.journal(grant).putVerdict({
          token: markOf(REFRESH),
          moment: { at: clock.now(), boot: 'boot', upMs: clock.now() },
          tries: 1,
          outcome: { kind: 'rejected', error: 'invalid_grant', words: 'gone' },
        })
        return ok()
      },
    })
    const served = orThrow(await send(at))
    expect(served.candidate.id).toBe(KEY)
    expect(served.attempts).toMatchObject([
      { profile: ID, reason: 'auth', fault: { code: 'EQ_GRANT_DEAD' } },
    ])
    expect(served.attempts[0]?.words).toContain('invalid_grant')
    expect(at.states.state().profiles.get(ID)).toBeUndefined()
  })

  test('that nobody can serve tells what the renewal met, and the next command', async () => {
    const { at } = machine(-1, { books: { main: aBook(login(-1)) }, helper: async () => ok() })
    const answer = await send(at)
    if (answer.ok) throw new TypeError('served')
    expect(answer.fault.code).toBe('EQ_UPSTREAM_FAILED')
    expect(explain(answer.fault).message).toContain('the renewing process could not be started')
  })

  test('is not even tried where the grant is dead: status says the same', async () => {
    const grant = newGrantId(provider('anthropic'), REFRESH)
    const { at, orders } = machine(-1, {
      books: { main: aBook(login(-1)) },
      verdicts: {
        [grant]: {
          token: markOf(REFRESH),
          moment: { at: FAKE_NOW, boot: 'boot', upMs: FAKE_NOW },
          tries: 1,
          outcome: { kind: 'rejected', error: 'invalid_grant', words: '' },
        },
      },
    })
    const answer = await send(at)
    expect(answer.ok ? '' : answer.fault.code).toBe('EQ_CREDENTIAL_NONE')
    expect(orders).toEqual([])
    const explained = orThrow(await at.report.explain({}))
    expect(explained.candidates[0]?.ranked.why.code).toBe('grant_dead')
    const status = orThrow(await at.report.status({}))
    expect(status.check).toMatchObject({ exit: 1, findings: [{ problem: 'dead' }] })
  })
})

describe('access that still serves', () => {
  test('is used as it is', async () => {
    const { at, orders } = machine(HOUR_MS)
    await send(at)
    expect(sent(at)).toEqual(['access-0'])
    expect(orders).toEqual([])
  })

  test('for its last minute is renewed first, and used if that fails', async () => {
    const { at, orders } = machine(30 * SECOND_MS, { helper: async () => ok() })
    await send(at)
    expect(orders).toHaveLength(1)
    expect(sent(at)).toEqual(['access-0'])
  })
})

describe('access that the provider refuses', () => {
  const refusing: NonNullable<Furnishing['upstream']> = (request) =>
    anAnswer(sentKey(request) === 'access-0' ? 401 : 200)

  test('is renewed once and tried again', async () => {
    const { at, orders } = machine(HOUR_MS, { upstream: refusing })
    const served = orThrow(await send(at))
    expect(sent(at)).toEqual(['access-0', renewedAccess(ID).reveal()])
    expect(served.candidate.id).toBe(ID)
    expect(orders).toMatchObject([{ urge: 'refused' }])
  })

  test('again and again makes no storm: it is renewed once a request, then the next candidate serves', async () => {
    const { at, orders } = machine(HOUR_MS, {
      upstream: (request) => anAnswer(sentKey(request)?.includes('access') ? 401 : 200),
    })
    const served = orThrow(await send(at))
    expect(served.candidate.id).toBe(KEY)
    expect(orders).toHaveLength(1)
  })

  test('and is no longer the current one is replaced by the current one, without a renewal', async () => {
    const { at, orders } = machine(HOUR_MS, { upstream: refusing })
    const world = orThrow(await at.loadWorld())
    await renewingHelper({ agent: MAIN_AGENT, profile: ID } as RenewalOrder, {
      profiles: at.profiles,
      grants: at.grants,
      clock: at.clock,
    })
    const served = orThrow(
      await at.dispatch({
        world,
        models: [MODEL],
        encode,
        signal: new AbortController().signal,
      }),
    )
    expect(served.candidate.id).toBe(ID)
    expect(orders).toEqual([])
  })
})
