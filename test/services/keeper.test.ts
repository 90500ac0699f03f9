import { describe, expect, test } from 'vitest'

import type { OauthCredential } from '../../src/domain/credential.ts'
import type { Happening } from '../../src/domain/event.ts'
import type { Fault } from '../../src/domain/fault.ts'
import { markOf, newGrantId } from '../../src/domain/grant.ts'
import type { Verdict } from '../../src/domain/grant.ts'
import type { Result } from '../../src/domain/result.ts'
import { fail } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts'
import { createCredentialWatch } from '../../src/services/credential-watch.ts'
import { createKeeper } from '../../src/services/keeper.ts'
import type { Keeper } from '../../src/services/keeper.ts'
import type { RenewalRequest } from '../../src/services/renewal.ts'
import { aBook, fakeStopwatch, FAKE_NOW } from '../../src/testing.ts'
import { profile, provider } from '../names-from.ts'
import type { House } from './house.ts'
import { house } from './house.ts'

const ID = profile('acme:me')
const REFRESH = new Secret('refresh-0')
const GRANT = newGrantId(provider('acme'), REFRESH)

function watched(
  login: Partial<OauthCredential>,
  verdicts: Record<string, Verdict> = {},
): {
  readonly at: House
  readonly keeper: Keeper
  readonly asked: RenewalRequest[]
  readonly happenings: readonly Happening[]
  adopted: number
} {
  const credential: OauthCredential = {
    type: 'oauth',
    access: new Secret('access-0'),
    refresh: REFRESH,
    ...login,
  }
  const at = house({
    config: {
      agents: { list: [{ id: 'work' }] },
      models: {
        providers: {
          acme: {
            baseUrl: 'https://acme.example/v1',
            oauth: { tokenUrl: 'https://acme.example/token' },
          },
        },
      },
    },
    books: { main: aBook({ id: ID, credential, origin: 'equabot' }) },
    verdicts,
  })
  const asked: RenewalRequest[] = []
  const happenings: Happening[] = []
  const seen = { at, asked, happenings, adopted: 0 }
  const keeper = createKeeper({
    loadWorld: at.loadWorld,
    settings: at.settings,
    adopt: async () => {
      seen.adopted += 1
    },
    renewals: {
      async renew(request): Promise<Result<never, Fault>> {
        asked.push(request)
        return fail({ code: 'EQ_RENEWAL_BUSY', profile: ID, waitedMs: 0 })
      },
    },
    watch: createCredentialWatch({ publish: (happening) => happenings.push(happening) }),
    clock: at.clock,
    stopwatch: fakeStopwatch(at.clock),
    log: at.log,
    random: () => 0.5,
  })
  return Object.assign(seen, { keeper })
}

const verdict = (outcome: Verdict['outcome'], againAfterMs?: number): Verdict => ({
  token: markOf(REFRESH),
  moment: { at: FAKE_NOW, boot: 'boot', upMs: FAKE_NOW },
  tries: 1,
  outcome,
  ...(againAfterMs !== undefined && { againAfterMs }),
})

describe('the keeper', () => {
  test('starts a renewal before it is needed, once for all agents that inherit the login, and waits for none', async () => {
    const { keeper, asked } = watched({ expiresAt: FAKE_NOW + 9 * MINUTE_MS })
    await keeper.beat()
    expect(asked).toMatchObject([{ agent: 'main', profile: ID, urge: 'use', waitMs: 0 }])
  })

  test('leaves a fresh login alone', async () => {
    const { keeper, asked } = watched({
      expiresAt: FAKE_NOW + 7 * HOUR_MS,
      renewedAt: FAKE_NOW - HOUR_MS,
    })
    await keeper.beat()
    expect(asked).toEqual([])
  })

  test('takes up a renewal whose answer was lost when its time has come, and not before', async () => {
    const lost = { kind: 'ambiguous', words: '', lostAt: FAKE_NOW, replays: 1 } as const
    const { keeper, asked, at } = watched(
      { expiresAt: FAKE_NOW + 7 * HOUR_MS, renewedAt: FAKE_NOW },
      { [GRANT]: verdict(lost, MINUTE_MS) },
    )
    await keeper.beat()
    expect(asked).toEqual([])
    at.clock.advance(MINUTE_MS)
    await keeper.beat()
    expect(asked).toHaveLength(1)
  })

  test('does not ask for what is dead', async () => {
    const { keeper, asked } = watched(
      { expiresAt: FAKE_NOW - 1 },
      { [GRANT]: verdict({ kind: 'rejected', error: 'invalid_grant', words: '' }) },
    )
    await keeper.beat()
    expect(asked).toEqual([])
  })

  test('takes over what other programs have renewed, at every beat', async () => {
    const seen = watched({})
    await seen.keeper.beat()
    await seen.keeper.beat()
    expect(seen.adopted).toBe(2)
  })

  test('beats until it is told to stop', async () => {
    const seen = watched({})
    const stop = new AbortController()
    const running = seen.keeper.run(stop.signal)
    while (seen.adopted < 3) {
      await Promise.resolve()
      seen.at.clock.advance(MINUTE_MS)
    }
    stop.abort()
    await running
    const beats = seen.adopted
    seen.at.clock.advance(HOUR_MS)
    await Promise.resolve()
    expect(seen.adopted).toBe(beats)
  })
})
