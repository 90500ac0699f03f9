import { describe, expect, test } from 'vitest'
import type { Credential, OauthCredential } from '../../src/domain/credential.ts'
import type { Happening } from '../../src/domain/event.ts'
import type { RenewalOutcome, Verdict } from '../../src/domain/grant.ts'
import { markOf, newGrantId } from '../../src/domain/grant.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { withProfile } from '../../src/domain/profile.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts'
import { createCredentialWatch, watchedRenewals } from '../../src/services/credential-watch.ts'
import type { CredentialWatch } from '../../src/services/credential-watch.ts'
import { aBook, FAKE_NOW } from '../../src/testing.ts'
import { profile, provider } from '../names-from.ts'
import { deferred } from '../gateway/fake-app.ts'
import type { House } from './house.ts'
import { house, renewingHelper } from './house.ts'

const ID = profile('acme:me')
const REFRESH = new Secret('refresh-0')
const GRANT = newGrantId(provider('acme'), REFRESH)
const LOGIN: OauthCredential = {
  type: 'oauth',
  access: new Secret('access-0'),
  refresh: REFRESH,
  expiresAt: FAKE_NOW + HOUR_MS,
}
const CONFIG = {
  models: {
    providers: {
      acme: {
        baseUrl: 'https://acme.example/v1',
        oauth: { tokenUrl: 'https://acme.example/token' },
      },
    },
  },
}

interface Watched {
  readonly at: House
  readonly watch: CredentialWatch
  readonly told: Happening[]
  look(): Promise<void>
  store(credential: Credential): Promise<void>
  conclude(outcome: RenewalOutcome): Promise<void>
}

function watched(credential: Credential): Watched {
  const at = house({
    config: CONFIG,
    books: { main: aBook({ id: ID, credential, origin: 'equabot' }) },
    helper: renewingHelper,
  })
  const told: Happening[] = []
  const watch = createCredentialWatch({ publish: (happening) => told.push(happening) })
  return {
    at,
    watch,
    told,
    async look() {
      const world = await at.loadWorld(MAIN_AGENT)
      if (!world.ok) throw new Error(world.fault.code)
      watch.look(world.value)
    },
    async store(next) {
      await at.profiles.transact<void, never>(MAIN_AGENT, async (book) =>
        ok({
          book: withProfile(book, { id: ID, credential: next, origin: 'equabot' }),
          value: undefined,
        }),
      )
    },
    async conclude(outcome) {
      const verdict: Verdict = {
        token: markOf(REFRESH),
        moment: { at: at.clock.now(), boot: 'boot', upMs: at.clock.now() },
        tries: 1,
        outcome,
        againAfterMs: MINUTE_MS,
      }
      await at.grants.journal(GRANT).putVerdict(verdict)
    },
  }
}

const staticToken = (expiresAt: number): Credential => ({
  type: 'token',
  token: new Secret('fake-token'),
  expiresAt,
})

describe('the end of a credential that nothing renews', () => {
  test('is told once within the warning time, and once when it has come', async () => {
    const { told, look, at } = watched(staticToken(FAKE_NOW + 30 * HOUR_MS))
    await look()
    expect(told).toEqual([])
    at.clock.advance(10 * HOUR_MS)
    await look()
    await look()
    at.clock.advance(DAY_MS)
    await look()
    await look()
    const end = { profile: ID, at: FAKE_NOW + 30 * HOUR_MS }
    expect(told).toEqual([
      { kind: 'credential.expiring', ...end },
      { kind: 'credential.expired', ...end },
    ])
  })

  test('is told again for a new credential', async () => {
    const { told, look, store } = watched(staticToken(FAKE_NOW + HOUR_MS))
    await look()
    await store(staticToken(FAKE_NOW + 2 * HOUR_MS))
    await look()
    expect(told.map((happening) => 'at' in happening && happening.at)).toEqual([
      FAKE_NOW + HOUR_MS,
      FAKE_NOW + 2 * HOUR_MS,
    ])
  })

  test('is nothing to tell of a login that renews itself', async () => {
    const { told, look, at } = watched(LOGIN)
    await look()
    at.clock.advance(2 * HOUR_MS)
    await look()
    expect(told).toEqual([])
  })
})

describe('a renewal', () => {
  const later = { ...LOGIN, access: new Secret('access-1'), expiresAt: FAKE_NOW + 9 * HOUR_MS }
  const renewed: RenewalOutcome = { kind: 'renewed', spacingMs: 0 }

  test('that another process has made is told once, though book and verdict are written one after the other', async () => {
    const { told, look, store, conclude } = watched(LOGIN)
    await look()
    await store(later)
    await look()
    await conclude(renewed)
    await look()
    expect(told).toEqual([
      { kind: 'credential.renewed', profile: ID, until: FAKE_NOW + 9 * HOUR_MS },
    ])
  })

  test('of the time before the first look is nothing new', async () => {
    const { told, look, conclude } = watched(LOGIN)
    await conclude(renewed)
    await look()
    expect(told).toEqual([])
  })

  test('that fails is told with its code, once while it fails in the same way', async () => {
    const { told, look, conclude, at } = watched(LOGIN)
    const lost = { kind: 'ambiguous', words: '', lostAt: FAKE_NOW, replays: 0 } as const
    await look()
    for (const outcome of [
      lost,
      lost,
      { kind: 'rejected', error: 'invalid_grant', words: '' } as const,
    ]) {
      at.clock.advance(1000)
      await conclude(outcome)
      await look()
    }
    expect(told).toEqual([
      { kind: 'credential.renewal_failed', profile: ID, code: 'EQ_RENEWAL_LOST' },
      { kind: 'credential.renewal_failed', profile: ID, code: 'EQ_GRANT_DEAD' },
      // Now nothing renews it any more.
      { kind: 'credential.expiring', profile: ID, at: FAKE_NOW + HOUR_MS },
    ])
  })

  const request = { agent: MAIN_AGENT, profile: ID, urge: 'user', waitMs: 1000 } as const

  test('in this process is told as soon as it is over', async () => {
    const { at } = watched(LOGIN)
    const heard = deferred<Happening>()
    const watch = createCredentialWatch({ publish: heard.resolve })
    const { renew } = watchedRenewals(at.renewals, { loadWorld: at.loadWorld, watch })
    const world = await at.loadWorld(MAIN_AGENT)
    if (world.ok) watch.look(world.value)
    at.clock.advance(MINUTE_MS)
    expect((await renew(request)).ok).toBe(true)
    expect(await heard.promise).toMatchObject({ kind: 'credential.renewed', profile: ID })
  })

  test('in a process that watches nothing costs no look', async () => {
    const { at, watch } = watched(LOGIN)
    let looks = 0
    const { renew } = watchedRenewals(at.renewals, {
      watch,
      loadWorld(agent) {
        looks += 1
        return at.loadWorld(agent)
      },
    })
    expect((await renew(request)).ok).toBe(true)
    expect(looks).toBe(0)
  })
})
