import { describe, expect, test } from 'vitest'

import type { ForeignFault } from '../../../src/domain/fault.ts'
import type { ForeignLogin, ForeignView } from '../../../src/domain/foreign.ts'
import { borrowedGrantId } from '../../../src/domain/grant.ts'
import { fail, ok } from '../../../src/domain/result.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { MINUTE_MS } from '../../../src/domain/time.ts'
import { FAKE_NOW } from '../../../src/testing.ts'
import { agent, profile } from '../../names-from.ts'
import { clinic, only } from './clinic.ts'

const place = '/home/.claude/.credentials.json'
const BLANK: ForeignFault = { code: 'EQ_FOREIGN_BLANK', origin: 'claude-code', place }
const OPEN: ForeignFault = {
  code: 'EQ_FOREIGN_OPEN',
  origin: 'claude-code',
  place,
  mode: 0o644,
  writable: false,
}

function view(reading: ForeignView['reading']): ForeignView {
  return { origin: 'claude-code', grant: borrowedGrantId('claude-code', place), place, reading }
}

function login(more: Partial<ForeignLogin> = {}): ForeignView {
  const access = new Secret('fake-access')
  return view(ok({ origin: 'claude-code', place, access, type: 'oauth', ...more }))
}

describe('the login of another program', () => {
  test('that is well, or not there, is no finding', async () => {
    expect(await clinic({ world: { foreign: [login()] } }).codes()).toEqual([])
    expect(await clinic({ world: { foreign: [view(ok(undefined))] } }).codes()).toEqual([])
  })

  test('that cannot be taken over, or works and should not stay so, is told once for all agents', async () => {
    for (const [foreign, fault] of [
      [view(fail(BLANK)), BLANK],
      [login({ remark: OPEN }), OPEN],
    ] as const) {
      const report = await clinic({
        config: { agents: { list: [{ id: 'research' }] } },
        world: { foreign: [foreign] },
        deps: { adopt: async () => ({ changes: [], faults: [fault] }) },
      }).examine()
      expect(only(report, 'DR_FOREIGN_LOGIN')).toMatchObject({ fault, severity: 'warn' })
    }
  })

  test('that is an API key is only worth knowing', async () => {
    const key: ForeignFault = { code: 'EQ_FOREIGN_KEY_ONLY', origin: 'codex-cli', place }
    const report = await clinic({ world: { foreign: [view(fail(key))] } }).examine()
    expect(only(report, 'DR_FOREIGN_LOGIN').severity).toBe('info')
    expect(report.ok).toBe(true)
  })

  test('is taken over before anything is judged, and what that came to is told', async () => {
    const order: string[] = []
    const changes = [{ profile: profile('anthropic:claude-cli'), outcome: 'added' }]
    const fault = { code: 'EQ_STORE_UNWRITABLE', path: '/state', errno: 'ENOSPC' } as const
    const machine = clinic({
      deps: {
        async adopt() {
          order.push('adopt')
          return { changes, faults: [fault] }
        },
        async envLines() {
          order.push('look')
          return []
        },
      },
    })
    const report = await machine.examine()
    expect(order).toEqual(['adopt', 'look'])
    expect(report.adopted).toEqual(changes)
    expect(only(report, 'DR_FOREIGN_ADOPTION')).toMatchObject({ fault })
  })
})

test('a book that keeps logins from being taken over is told as a book, once', async () => {
  const fault = { code: 'EQ_STORE_SYNTAX', path: '/state/book', line: 1, column: 1 } as const
  const machine = clinic({ deps: { adopt: async () => ({ changes: [], faults: [fault] }) } })
  machine.profiles.damage(agent('main'), fault)
  expect(await machine.codes()).toEqual(['DR_BOOK_UNREADABLE'])
})

describe('a lock of another program', () => {
  const aged = (ms: number) => ({
    origin: 'claude-code' as const,
    path: '/home/.claude/.oauth_refresh.lock',
    modifiedAt: FAKE_NOW - ms,
  })

  test.each([
    [10 * MINUTE_MS, []],
    [10 * MINUTE_MS + 1, ['DR_FOREIGN_LOCK']],
    [-MINUTE_MS, []],
    [-MINUTE_MS - 1, ['DR_FOREIGN_LOCK']],
  ])('that is %d ms old', async (ms, codes) => {
    expect(await clinic({ locks: [aged(ms)] }).codes()).toEqual(codes)
  })
})
