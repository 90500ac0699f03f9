import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Clients } from '../../src/services/clients.ts'
import { createClients } from '../../src/services/clients.ts'
import type { FakeClock, MemoryClientKeys, MemoryLedger } from '../../src/testing.ts'
import {
  aBook,
  aProfile,
  fakeClock,
  memoryClientKeys,
  memoryClientStore,
  memoryLedger,
} from '../../src/testing.ts'
import { agent, client, profile } from '../names-from.ts'
import { house } from './house.ts'

const digestOf = (key: string): string => createHash('sha256').update(key).digest('hex')

function open(): {
  clients: Clients
  keys: MemoryClientKeys
  ledger: MemoryLedger
  clock: FakeClock
} {
  const clock = fakeClock()
  const keys = memoryClientKeys(digestOf)
  const ledger = memoryLedger()
  const { loadWorld } = house({ books: { main: aBook(aProfile('anthropic:work')) } })
  const clients = createClients({ store: memoryClientStore(), keys, ledger, loadWorld, clock })
  return { clients, keys, ledger, clock }
}

async function issued(clients: Clients, ...given: Parameters<Clients['add']>) {
  const added = await clients.add(...given)
  if (!added.ok) throw new Error(added.fault.code)
  return added.value
}

describe('adding', () => {
  test('gives a key whose digest is kept, and no copy of it unless one is wanted', async () => {
    const { clients, keys } = open()
    const { key, client: made, keyPath } = await issued(clients, 'Laptop', {})
    expect(made).toMatchObject({ name: 'laptop', digest: digestOf(key.reveal()) })
    expect(keyPath).toBeUndefined()
    expect(keys.copies.size).toBe(0)
    const kept = await issued(clients, 'phone', {}, { keep: true })
    expect(kept.keyPath).toBe('/state/client-keys/phone')
    expect(keys.copies.get(client('phone'))).toBe(kept.key.reveal())
    expect(JSON.stringify(await clients.list())).not.toContain(kept.key.reveal())
  })

  test('refuses a name that is taken or none, and limits that name nothing', async () => {
    const { clients } = open()
    await issued(clients, 'laptop', {})
    const faultOf = async (...given: Parameters<Clients['add']>): Promise<unknown> => {
      const added = await clients.add(...given)
      return added.ok ? 'ok' : added.fault.code
    }
    expect(await faultOf('LAPTOP', {})).toBe('EQ_CLIENT_EXISTS')
    expect(await faultOf('../x', {})).toBe('EQ_NAME_INVALID')
    expect(await faultOf('a1', { agent: agent('nobody') })).toBe('EQ_AGENT_UNKNOWN')
    expect(await faultOf('a1', { models: ['nosuch/model'] })).toBe('EQ_PROVIDER_UNKNOWN')
    expect(await faultOf('a1', { models: ['opsu'] })).toBe('EQ_MODEL_UNKNOWN')
    expect(await faultOf('a1', { models: ['x@anthropic:work'] })).toBe('EQ_NAME_INVALID')
    expect(await faultOf('a1', { profiles: [profile('anthropic:wrok')] })).toBe(
      'EQ_PROFILE_UNKNOWN',
    )
    expect(
      await faultOf('a1', { models: ['anthropic/*'], profiles: [profile('anthropic:work')] }),
    ).toBe('ok')
  })
})

describe('rotating', () => {
  test('ends the old key at once, keeps the limits, and renews a copy that is kept', async () => {
    const { clients, keys, clock } = open()
    const first = await issued(clients, 'laptop', { models: ['anthropic/*'] }, { keep: true })
    clock.advance(1_000)
    const rotated = await clients.rotate('laptop')
    if (!rotated.ok) throw new Error(rotated.fault.code)
    const { key, client: now } = rotated.value
    expect(now).toMatchObject({ models: ['anthropic/*'], rotatedAt: clock.now() })
    expect(keys.copies.get(client('laptop'))).toBe(key.reveal())
    expect(await clients.holder(first.client.digest)).toEqual({ ok: true, value: undefined })
    expect(await clients.holder(now.digest)).toEqual({ ok: true, value: now })
    expect(await clients.goesOn(first.client)).toMatchObject({ fault: { code: 'EQ_CLIENT_ENDED' } })
    expect(await clients.goesOn(now)).toEqual({ ok: true })
  })

  test('a key that has ended needs a new end', async () => {
    const { clients, clock } = open()
    const { client: made } = await issued(clients, 'guest', { expiresAt: clock.now() + 10 })
    clock.advance(10)
    expect(await clients.goesOn(made)).toMatchObject({ fault: { code: 'EQ_CLIENT_EXPIRED' } })
    expect(await clients.rotate('guest')).toMatchObject({ fault: { code: 'EQ_CLIENT_EXPIRED' } })
    const expiresAt = clock.now() + 10
    expect(await clients.rotate('guest', { expiresAt })).toMatchObject({
      ok: true,
      value: { client: { expiresAt } },
    })
  })
})

test('revoking forgets the client, its key and the copy of it', async () => {
  const { clients, keys } = open()
  const { client: made } = await issued(clients, 'laptop', {}, { keep: true })
  await clients.holder(made.digest)
  expect(clients.isTaken('laptop')).toBe(true)
  expect(await clients.revoke('laptop')).toEqual({ ok: true, value: { client: 'laptop' } })
  expect(keys.copies.size).toBe(0)
  expect(await clients.holder(made.digest)).toEqual({ ok: true, value: undefined })
  expect(clients.isTaken('laptop')).toBe(false)
  expect(await clients.goesOn(made)).toMatchObject({ fault: { code: 'EQ_CLIENT_ENDED' } })
  expect(await clients.revoke('lapto')).toMatchObject({ fault: { code: 'EQ_CLIENT_UNKNOWN' } })
  await issued(clients, 'laptop', {})
})

test('what a client has used is summed by its name, in this day and this month alone', async () => {
  const { clients, ledger, clock } = open()
  await issued(clients, 'laptop', {})
  const spent = (at: number, name: string, tokens: number): void =>
    ledger.append({
      id: `${at}${name}`,
      at,
      agent: agent('main'),
      client: name,
      asked: 'm',
      outcome: 'served',
      attempts: 1,
      totalMs: 1,
      usage: { inputTokens: tokens, outputTokens: 0 },
      costUsd: tokens / 100,
    })
  const DAY = 86_400_000
  // The clock begins on the first of a month.
  clock.advance(2 * DAY)
  spent(clock.now(), 'laptop', 10)
  spent(clock.now() - DAY, 'laptop', 5)
  spent(clock.now() - 3 * DAY, 'laptop', 1_000)
  spent(clock.now(), 'phone', 7)
  expect(await clients.spent(client('laptop'))).toEqual({
    daily: { usd: 0.1, tokens: 10 },
    monthly: { usd: expect.closeTo(0.15), tokens: 15 },
  })
  // It is not asked again at once, but a new day begins anew.
  spent(clock.now(), 'laptop', 1)
  expect((await clients.spent(client('laptop'))).daily.tokens).toBe(10)
  clock.advance(500)
  expect((await clients.spent(client('laptop'))).daily.tokens).toBe(11)
  clock.advance(DAY)
  expect(await clients.spent(client('laptop'))).toMatchObject({
    daily: { tokens: 0 },
    monthly: { tokens: 16 },
  })
})
