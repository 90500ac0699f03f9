import { expect, test } from 'vitest'
import type { Fault } from '../../src/domain/fault.ts'
import type { GatewayRecord } from '../../src/domain/ports.ts'
import { ok } from '../../src/domain/result.ts'
import type { ProgramConfigs } from '../../src/domain/setup.ts'
import type { Clients } from '../../src/services/clients.ts'
import { createClients } from '../../src/services/clients.ts'
import type { Setups } from '../../src/services/setup.ts'
import { createSetups } from '../../src/services/setup.ts'
import type { MemoryClientKeys } from '../../src/testing.ts'
import {
  aBook,
  aProfile,
  fakeClock,
  memoryClientKeys,
  memoryClientStore,
  memoryLedger,
} from '../../src/testing.ts'
import { editProgramConfig } from '../../src/wire/program-config.ts'
import { house } from './house.ts'

interface Bench {
  readonly setups: Setups
  readonly clients: Clients
  readonly keys: MemoryClientKeys
  readonly files: Map<string, string>
}

function open(given: { record?: GatewayRecord; port?: string; config?: object } = {}): Bench {
  const { loadWorld, report, settings } = house({
    books: { main: aBook(aProfile('anthropic:work')) },
    ...(given.config && { config: { ...given.config } }),
  })
  const keys = memoryClientKeys((key) => `digest of ${key}`)
  const store = memoryClientStore()
  const clients = createClients({
    store,
    keys,
    ledger: memoryLedger(),
    loadWorld,
    clock: fakeClock(),
  })
  const files = new Map<string, string>()
  const setups = createSetups({
    clients,
    keys,
    configs: configsIn(files),
    edit: editProgramConfig,
    gatewayFiles: { running: async () => given.record },
    settings,
    report,
    loadWorld,
    stateDir: '/state',
    ...(given.port !== undefined && { portVariable: given.port }),
  })
  return { setups, clients, keys, files }
}

function configsIn(files: Map<string, string>): ProgramConfigs {
  return {
    find: async (program) => ok(`/home/me/${program}`),
    read: async (path) => ok(files.get(path)),
    async edit(path, change) {
      const before = files.get(path)
      const next = change(before)
      if (!next.ok) return next
      if (next.value === before) return ok({ changed: false })
      files.set(path, next.value)
      return ok({ changed: true, ...(before !== undefined && { backup: `${path}.before` }) })
    },
  }
}

const codeOf = (result: { ok: true } | { ok: false; fault: Fault }): string =>
  result.ok ? 'ok' : result.fault.code

test('a plan changes nothing, and holds no key', async () => {
  const { setups, clients, keys, files } = open()
  await clients.add('laptop', {}, { keep: true })
  const planned = await setups.plan('claude-code')
  expect(planned).toMatchObject({
    ok: true,
    value: { client: 'claude-code', hasKey: false, running: false, url: 'http://127.0.0.1:18789' },
  })
  const named = await setups.plan('codex', 'laptop')
  expect(named).toMatchObject({ value: { client: 'laptop', hasKey: true } })
  expect(JSON.stringify([planned, named])).not.toContain([...keys.copies.values()][0])
  expect(files.size).toBe(0)
  const listed = await clients.list()
  expect(listed.ok && listed.value.clients).toHaveLength(1)
})

test('writing makes a key of the program and changes its settings, once', async () => {
  const { setups, keys, files } = open()
  expect(await setups.write('claude-code')).toMatchObject({
    value: { madeClient: true, hasKey: true, written: { changed: true } },
  })
  const written = files.get('/home/me/claude-code')
  expect(written).toContain('/state/client-keys/claude-code')
  expect(written).not.toContain([...keys.copies.values()][0])
  expect(await setups.write('claude-code')).toMatchObject({
    value: { madeClient: false, written: { changed: false } },
  })
  expect(files.get('/home/me/claude-code')).toBe(written)
})

test('settings that cannot be changed leave no key behind', async () => {
  const { setups, clients, files } = open()
  files.set('/home/me/codex', 'broken [')
  expect(codeOf(await setups.write('codex'))).toBe('EQ_SETUP_UNSAFE')
  expect(files.get('/home/me/codex')).toBe('broken [')
  const listed = await clients.list()
  expect(listed.ok && listed.value.clients).toEqual([])
})

test('a key that was shown once cannot be written down afterwards', async () => {
  const { setups, clients, files } = open()
  await clients.add('codex', {})
  await clients.add('laptop', {})
  expect(codeOf(await setups.write('codex'))).toBe('EQ_CLIENT_KEY_ABSENT')
  expect(codeOf(await setups.write('codex', 'laptop'))).toBe('EQ_CLIENT_KEY_ABSENT')
  expect(codeOf(await setups.write('codex', 'nobody'))).toBe('EQ_CLIENT_UNKNOWN')
  expect(files.size).toBe(0)
  await clients.rotate('laptop', { keep: true })
  expect(codeOf(await setups.write('codex', 'laptop'))).toBe('ok')
})

test('programs without settings get a key only', async () => {
  const { setups, files } = open()
  const written = await setups.write('curl')
  expect(written).toMatchObject({ value: { madeClient: true } })
  expect(written.ok && written.value.written).toBeUndefined()
  expect(files.size).toBe(0)
})

test('the address is that of the running gateway, else where it would listen', async () => {
  const record = { pid: 1, port: 4_000, bind: '0.0.0.0', startedAt: 0, version: '' }
  const urlOf = async ({ setups }: Bench): Promise<unknown> => {
    const planned = await setups.plan('curl')
    return planned.ok ? [planned.value.url, planned.value.running] : planned.fault.code
  }
  expect(await urlOf(open({ record }))).toEqual(['http://127.0.0.1:4000', true])
  expect(await urlOf(open({ port: '4001' }))).toEqual(['http://127.0.0.1:4001', false])
  expect(await urlOf(open({ config: { gateway: { port: 4_002 } } }))).toEqual([
    'http://127.0.0.1:4002',
    false,
  ])
  expect(await urlOf(open({ port: '0' }))).toBe('EQ_GATEWAY_DOWN')
})

test('only models that the client may use are offered to its program', async () => {
  const { setups, clients } = open()
  await clients.add('laptop', { models: ['openai/*'] })
  const all = await setups.plan('opencode')
  const some = await setups.plan('opencode', 'laptop')
  if (!all.ok || !some.ok) throw new Error(codeOf(some))
  expect(all.value.models.map(({ id }) => id)).toContain('anthropic/claude-sonnet-5-5')
  expect(some.value.models.filter(({ id }) => !id.startsWith('openai/'))).toEqual([])
})
