import { describe, expect, test } from 'vitest'

import type { Fault } from '../../../src/domain/fault.ts'
import { tellFinding } from '../../../src/domain/finding-words.ts'
import { fail, ok } from '../../../src/domain/result.ts'
import { EMPTY_STATE } from '../../../src/domain/cooldown.ts'
import {
  aBook,
  aProfile,
  FAKE_NOW,
  memoryProfileStore,
  memorySettingsStore,
} from '../../../src/testing.ts'
import { agent, profile, provider } from '../../names-from.ts'
import { clinic, only } from './clinic.ts'

const main = agent('main')
const SYNTAX = {
  code: 'EQ_STORE_SYNTAX',
  path: '/state/agents/main/agent/auth-profiles.json',
  line: 1,
  column: 2,
} as const

describe('a book', () => {
  test('that cannot be read is an error, fixable only where an earlier copy is', async () => {
    const machine = clinic()
    machine.profiles.damage(main, SYNTAX)
    expect(only(await machine.examine(), 'DR_BOOK_UNREADABLE')).toMatchObject({
      severity: 'error',
      fixable: false,
    })
    machine.profiles.damage(main, { ...SYNTAX, previous: '/prev', agent: main })
    expect(only(await machine.examine(), 'DR_BOOK_UNREADABLE').fixable).toBe(true)
  })

  test('with an entry that nobody understands says which', async () => {
    const store = memoryProfileStore({ main: aBook(aProfile('anthropic:work')) })
    const problems = [{ field: 'profiles.x', problem: 'expected an object' }]
    const profiles: typeof store = {
      ...store,
      async read(id) {
        const read = await store.read(id)
        return read.ok ? ok({ book: read.value.book, problems, legacyState: EMPTY_STATE }) : read
      },
    }
    const report = await clinic({ deps: { profiles } }).examine()
    const entry = only(report, 'DR_BOOK_ENTRY')
    expect(entry).toMatchObject({ agent: 'main', restorable: false, ...problems[0] })
    const telling = { show: (path: string) => path, now: FAKE_NOW }
    expect(tellFinding(entry, telling).fix).not.toContain('restore')
    const entries = { 'agents/main/agent/auth-profiles.json.prev': {} }
    const other = only(await clinic({ deps: { profiles }, entries }).examine(), 'DR_BOOK_ENTRY')
    expect(tellFinding(other, telling).fix).toContain('models auth restore --agent main')
  })

  test('that cannot be read does not make an order or a journal look forsaken, nor every login gone', async () => {
    const machine = clinic({
      config: { auth: { order: { anthropic: ['anthropic:gone'] } } },
      entries: { [`grants/${'a'.repeat(32)}`]: { kind: 'folder', mode: 0o700, modifiedAt: 0 } },
    })
    expect(await machine.codes()).toEqual(
      expect.arrayContaining(['DR_ORDER_UNKNOWN', 'DR_GRANT_ORPHAN']),
    )
    machine.profiles.damage(main, SYNTAX)
    expect(await machine.codes()).toEqual(['DR_BOOK_UNREADABLE'])
  })
})

describe('the settings', () => {
  test('that cannot be read are one finding; what needs them is named as not looked at', async () => {
    const fault: Fault = { code: 'EQ_CONFIG_SYNTAX', path: '/c', line: 1, column: 1, detail: 'x' }
    const settings = { ...memorySettingsStore(), read: async () => fail(fault) }
    const report = await clinic({
      deps: { settings, loadWorld: async () => fail(fault) },
      entries: { '.env': { mode: 0o640 } },
    }).examine()
    expect(report.findings.map(({ code }) => code)).toEqual(['DR_FILE_OPEN', 'DR_CONFIG_INVALID'])
    expect(report.looked.skipped).toContain('credentials')
    expect(report.looked.checks).toContain('books')
  })

  test('with older spellings, or with a secret in the open, are named', async () => {
    const store = memorySettingsStore({ raw: { a: 1 } })
    const migrated = ['auth.profiles.anthropic:claude-cli.mode']
    const settings: typeof store = {
      ...store,
      async read() {
        const read = await store.read()
        return read.ok ? ok({ ...read.value, migrated }) : read
      },
    }
    const literalSecrets = (raw: object) => Object.keys(raw)
    const report = await clinic({ deps: { settings, literalSecrets } }).examine()
    expect(only(report, 'DR_CONFIG_OLDER')).toMatchObject({ fields: migrated, fixable: true })
    expect(only(report, 'DR_CONFIG_SECRET')).toMatchObject({ field: 'a', severity: 'warn' })
  })
})

test('a line of .env that says nothing is named with its number', async () => {
  const envLines = async () => [{ line: 3, problem: 'is not of the form NAME=value' }]
  const report = await clinic({ deps: { envLines } }).examine()
  expect(only(report, 'DR_ENV_LINE')).toMatchObject({ path: '/state/.env', line: 3 })
})

test('what keeps every agent from working is told once', async () => {
  const fault: Fault = { code: 'EQ_STORE_UNREADABLE', path: '/state/.env', errno: 'EACCES' }
  const report = await clinic({
    config: { agents: { list: [{ id: 'a' }, { id: 'b' }] } },
    deps: { loadWorld: async () => fail(fault) },
  }).examine()
  expect(only(report, 'DR_AGENT_UNREADABLE')).toMatchObject({ fault, severity: 'error' })
})

describe('an order', () => {
  const order = new Map([[provider('anthropic'), [profile('anthropic:gone')]]])

  test('that names no profile is a warning, in a book and in the config', async () => {
    const report = await clinic({
      books: { main: { ...aBook(aProfile('anthropic:work')), order } },
      config: { auth: { order: { anthropic: ['anthropic:work', 'anthropic:lost'] } } },
    }).examine()
    const found = report.findings.filter(({ code }) => code === 'DR_ORDER_UNKNOWN')
    expect(found).toMatchObject([
      { agent: 'main', profiles: ['anthropic:gone'], severity: 'warn', fixable: true },
      { profiles: ['anthropic:lost'] },
    ])
  })

  test("may name main's profiles, those of any agent in config, and keys outside the book", async () => {
    const report = await clinic({
      books: {
        main: aBook(aProfile('anthropic:work')),
        research: {
          ...aBook(aProfile('anthropic:own')),
          order: new Map([[provider('anthropic'), [profile('anthropic:work')]]]),
        },
      },
      config: {
        agents: { list: [{ id: 'research' }] },
        auth: { order: { anthropic: ['anthropic:own', 'anthropic:env', 'anthropic:work'] } },
      },
    }).examine()
    expect(report.findings.filter(({ code }) => code === 'DR_ORDER_UNKNOWN')).toEqual([])
  })
})
