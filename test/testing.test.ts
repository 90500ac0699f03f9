import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { MAIN_AGENT } from '../src/domain/names.ts'
import { withProfile } from '../src/domain/profile.ts'
import { fail, ok } from '../src/domain/result.ts'
import { Secret } from '../src/domain/secret.ts'
import { DEFAULT_SETTINGS } from '../src/domain/settings.ts'
import {
  aBook,
  anAnswer,
  aProfile,
  aWorld,
  fakeClock,
  FAKE_NOW,
  fakeUpstream,
  memoryEnvironment,
  memoryProfileStore,
  memorySettingsStore,
  plainFingerprint,
  silentLog,
} from '../src/testing.ts'
import { decodeSettings } from './settings-from.ts'

describe('a fake clock', () => {
  test('stands still until it is moved, and wakes sleepers in the order of their time', async () => {
    const clock = fakeClock(1_000)
    const woken: string[] = []
    const sleepers = [
      clock.sleep(20).then(() => woken.push('late')),
      clock.sleep(10).then(() => woken.push('early')),
    ]
    clock.advance(9)
    await Promise.resolve()
    expect(woken).toEqual([])
    clock.advance(11)
    await Promise.all(sleepers)
    expect(woken).toEqual(['early', 'late'])
    expect(clock.now()).toBe(1_020)
  })

  test('lets a sleeper go when its signal aborts', async () => {
    const controller = new AbortController()
    const asleep = fakeClock().sleep(1_000, controller.signal)
    controller.abort()
    await expect(asleep).resolves.toBeUndefined()
    await expect(fakeClock().sleep(1_000, AbortSignal.abort())).resolves.toBeUndefined()
  })
})

describe('a profile store in memory', () => {
  test('runs changes of one book one after the other, each on the outcome of the last', async () => {
    const store = memoryProfileStore()
    const add = (id: string): Promise<unknown> =>
      store.transact(MAIN_AGENT, async (book) => {
        await Promise.resolve()
        return ok({ book: withProfile(book, aProfile(id)), value: undefined })
      })
    await Promise.all(['anthropic:a', 'anthropic:b', 'anthropic:c'].map(add))
    expect([...store.book().profiles.keys()]).toEqual(['anthropic:a', 'anthropic:b', 'anthropic:c'])
    expect(store.saves()).toBe(3)
  })

  test('saves nothing when the change fails or changes nothing', async () => {
    const store = memoryProfileStore({ main: aBook(aProfile('anthropic:a')) })
    await store.transact(MAIN_AGENT, async () => fail({ code: 'EQ_HOME_MISSING' }))
    await store.transact(MAIN_AGENT, async (book) => ok({ book, value: 1 }))
    expect(store.saves()).toBe(0)
  })
})

test('a settings store in memory applies all edits or none', async () => {
  const store = memorySettingsStore({ raw: { gateway: { port: 1_234 } }, decode: decodeSettings })
  const wrong = await store.edit(() => [
    { path: ['gateway', 'port'], value: 4_321 },
    { path: ['gateway', 'bind'], value: 5 },
  ])
  expect(wrong.ok).toBe(false)
  expect(store.raw()).toEqual({ gateway: { port: 1_234 } })
  await store.edit(() => [{ path: ['gateway', 'port'], value: undefined }])
  expect(store.raw()).toEqual({ gateway: {} })
})

test('an environment in memory leaves out what is blank or was not asked for', async () => {
  const reader = memoryEnvironment({ A: 'fake', B: '  ', C: 'fake' })
  const found = await reader.read(DEFAULT_SETTINGS.env, ['A', 'B'])
  expect(found.ok && [...found.value.keys()]).toEqual(['A'])
})

describe('a fake upstream', () => {
  const request = {
    url: 'http://h',
    headers: {},
    secretHeaders: { 'x-api-key': new Secret('fake-secret') },
    timeouts: DEFAULT_SETTINGS.upstream,
  } as const

  test('answers by its script and remembers requests without their secrets in the open', async () => {
    const upstream = fakeUpstream((_, index) =>
      index === 0 ? anAnswer(200) : { reason: 'network', words: 'refused' },
    )
    const { signal } = new AbortController()
    expect(await upstream.send(request, signal)).toMatchObject({ ok: true, value: { status: 200 } })
    expect(await upstream.send(request, signal)).toMatchObject({
      ok: false,
      fault: { reason: 'network' },
    })
    expect(inspect(upstream.requests, { depth: null })).not.toContain('fake-secret')
    expect(upstream.requests[0]?.secretHeaders['x-api-key']?.reveal()).toBe('fake-secret')
  })
})

test('a silent log remembers what it does not print', () => {
  const log = silentLog()
  log.write('info', 'started', { port: 1 })
  expect(log.lines).toEqual([{ level: 'info', event: 'started', fields: { port: 1 } }])
})

test('builders make whole values of what matters', () => {
  expect(aWorld()).toMatchObject({ agent: 'main', now: FAKE_NOW, settings: DEFAULT_SETTINGS })
  expect(aWorld({ profiles: [aProfile('anthropic:a')] }).book.profiles.size).toBe(1)
  expect(() => aProfile('anthropic')).toThrow('not a profile id')
  expect(plainFingerprint(new Secret('a'))).not.toBe(plainFingerprint(new Secret('b')))
})
