import { describe, expect, test } from 'vitest'
import { addUsageCommand } from '../../src/cli/usage.ts'
import type { RequestRecord } from '../../src/domain/ledger.ts'
import type { App } from '../../src/services/app.ts'
import { createSpending } from '../../src/services/spending.ts'
import { createUsage } from '../../src/services/usage.ts'
import { DAY_MS } from '../../src/domain/time.ts'
import { fakeClock, memoryLedger, memorySettingsStore } from '../../src/testing.ts'
import { agent, profile, session } from '../names-from.ts'
import { aRequest } from '../request-records.ts'
import { decodeSettings } from '../settings-from.ts'
import type { Ran } from './fake-chat-app.ts'
import { fakeApp, runCommand } from './fake-chat-app.ts'

/** 2026-11-24T10:00:00Z */
const NOW = Date.UTC(2026, 10, 24, 10)

function appWith(
  records: readonly RequestRecord[],
  raw: Readonly<Record<string, unknown>> = {},
  aside: readonly string[] = [],
): App {
  const clock = fakeClock(NOW)
  const ledger = { ...memoryLedger(records), setAside: async () => aside }
  const settings = memorySettingsStore({ decode: decodeSettings, raw })
  const spentNow = createSpending({ ledger, clock })
  return { ...fakeApp(), clock, ledger, usage: createUsage({ ledger, settings, spentNow, clock }) }
}

const usage = (argv: readonly string[], app: App): Promise<Ran> =>
  runCommand(['usage', ...argv], addUsageCommand, { app })

const RECORDS = [
  aRequest({ at: NOW, costUsd: 1.25, usage: { inputTokens: 12_400, outputTokens: 300 } }),
  aRequest({ at: NOW - DAY_MS, profile: profile('openai:team'), outcome: 'cut' }),
  aRequest({ at: NOW - 9 * DAY_MS, agent: agent('research'), session: session('x') }),
]

describe('usage', () => {
  test('sums by profile, with a total, and says that costs are estimates', async () => {
    const { out, exit } = await usage([], appWith(RECORDS))
    expect(exit).toBe(0)
    expect(out).toMatch(/^Profile +Requests +Not whole +Input +From cache +Output +Estimate\n/)
    expect(out).toMatch(/\nanthropic:work +2 +12,500 +320 +\$1\.25\n/)
    expect(out).toMatch(/\nopenai:team +1 +1 +100 +20\n/)
    expect(out).toMatch(/\n +3 +1 +12,600 +340 +\$1\.25\n/)
    expect(out).toContain('estimates from list prices')
    expect(out).toContain('No price is known for 2 requests')
  })

  test('takes days as dates or as how long ago, and says which day it begins with', async () => {
    const app = appWith(RECORDS)
    const week = await usage(['--by', 'day', '--since', '7d'], app)
    expect(week.out).toMatch(/\n2026-11-23 .*\n2026-11-24 /)
    expect(week.out).not.toContain('2026-11-15')
    expect(week.out).toContain('From 2026-11-17, whole days by UTC')
    const one = await usage(['--since', '2026-11-15', '--until', '2026-11-15', '--json'], app)
    expect(JSON.parse(one.out)).toMatchObject({ from: '2026-11-15', total: { requests: 1 } })
  })

  test('names what has no name, and a session by its agent', async () => {
    const { out } = await usage(['--by', 'session'], appWith(RECORDS))
    expect(out).toContain('(no session)')
    expect(out).toContain('research/x')
  })

  test('keeps to one agent', async () => {
    const { out } = await usage(['--agent', 'research', '--json'], appWith(RECORDS))
    expect(JSON.parse(out)).toMatchObject({ agent: 'research', total: { requests: 1 } })
  })

  test('--csv gives bare numbers under names, fit for a spreadsheet', async () => {
    const odd = aRequest({ at: NOW, client: '=cmd("x"),1', costUsd: 0.5 })
    const { out } = await usage(['--by', 'client', '--csv'], appWith([odd]))
    expect(out).toBe(
      'client,requests,failed,counted,priced,input_tokens,output_tokens,cache_read_tokens,cache_write_tokens,estimated_cost_usd\n' +
        `"'=cmd(""x""),1",1,0,1,1,100,20,0,0,0.5\n`,
    )
  })

  test('shows how each budget stands', async () => {
    const profiles = {
      'anthropic:work': {
        provider: 'anthropic',
        mode: 'api_key',
        budget: { daily: { usd: 1 }, monthly: { tokens: 13_000 } },
      },
    }
    const { out } = await usage([], appWith(RECORDS, { auth: { profiles } }))
    expect(out).toMatch(
      /Budgets\n +anthropic:work +\$1\.25 of \$1\.00 today \(125 %, estimated\), not used for 14 h\n/,
    )
    expect(out).toMatch(/12,820 of 13,000 tokens this month \(98 %\), tried last for 7 days/)
  })

  test('says what to type when nothing has been recorded, and what was set aside', async () => {
    const { out, exit } = await usage([], appWith([], {}, ['/s/ledger.sqlite.broken-1']))
    expect(exit).toBe(0)
    expect(out).toContain('Nothing recorded yet')
    expect(out).toContain('equabot agent --message hello')
    expect(out).toContain('/s/ledger.sqlite.broken-1')
  })

  test('says that only these days are empty when others are not', async () => {
    const { out } = await usage(['--until', '2020-01-01'], appWith(RECORDS))
    expect(out).toContain('No recorded request is among these')
    expect(out).not.toContain('Nothing recorded yet')
  })

  test('refuses what is no day with what would be one', async () => {
    for (const text of ['soon', '2026-02-30', '2026-13-01', '-1d']) {
      const { exit, err } = await usage([`--since=${text}`], appWith(RECORDS))
      expect(exit, text).toBe(64)
      expect(err).toContain('2026-11-01 or a length of time such as 7d')
    }
    expect((await usage(['--since', '36h', '--json'], appWith(RECORDS))).out).toContain(
      '"from": "2026-11-22"',
    )
  })
})
