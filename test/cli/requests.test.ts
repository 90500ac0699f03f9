import { describe, expect, test } from 'vitest'
import { addRequestsCommand } from '../../src/cli/requests.ts'
import type { RequestRecord } from '../../src/domain/ledger.ts'
import type { App } from '../../src/services/app.ts'
import type { FakeClock, MemoryLedger } from '../../src/testing.ts'
import { fakeClock, memoryLedger } from '../../src/testing.ts'
import { profile } from '../names-from.ts'
import { aRequest } from '../request-records.ts'
import type { Ran } from './fake-chat-app.ts'
import { fakeApp, fakeTerminal, runCommand } from './fake-chat-app.ts'

/** 2026-11-24T10:00:00Z */
const NOW = Date.UTC(2026, 10, 24, 10)

interface Room {
  readonly app: App
  readonly ledger: MemoryLedger
  readonly clock: FakeClock
}

function roomWith(records: readonly RequestRecord[]): Room {
  const ledger = memoryLedger(records)
  const clock = fakeClock(NOW)
  return { ledger, clock, app: { ...fakeApp(), ledger, clock } }
}

const requests = (argv: readonly string[], { app }: Room): Promise<Ran> =>
  runCommand(['requests', ...argv], addRequestsCommand, { app })

const RECORDS = [
  aRequest({ at: NOW - 9_000, costUsd: 0.0123, client: 'claude-cli' }),
  aRequest({ at: NOW - 5_000, outcome: 'failed', reason: 'rate_limit', profile: profile('a:b') }),
]

describe('requests', () => {
  test('shows the latest last: who served, how it ended, how long, how much', async () => {
    const { out } = await requests([], roomWith(RECORDS))
    const [first = '', second = ''] = out.split('\n')
    expect(first).toMatch(
      /^2026-11-24 09:59:51 +anthropic\/claude-test +anthropic:work +served +0\.40 s \/ 1\.00 s +100 in, 20 out +~\$0\.0123 +claude-cli$/,
    )
    expect(second).toMatch(/a:b +failed: rate_limit/)
  })

  test('takes the last ones, those of one profile, or those that failed', async () => {
    const room = roomWith(RECORDS)
    const last = JSON.parse((await requests(['--limit', '1', '--json'], room)).out)
    expect(last.requests).toHaveLength(1)
    expect(last.requests[0].at).toBe('2026-11-24T09:59:55.000Z')
    const failed = JSON.parse((await requests(['--failed', '--json'], room)).out)
    expect(failed.requests).toMatchObject([{ outcome: 'failed' }])
    const work = JSON.parse((await requests(['--profile', 'anthropic:work', '--json'], room)).out)
    expect(work.requests).toMatchObject([{ profile: 'anthropic:work' }])
  })

  test('says what to type when there are none, and that none is meant when there are others', async () => {
    expect((await requests([], roomWith([]))).out).toContain('equabot agent --message hello')
    expect((await requests(['--profile', 'x:y'], roomWith(RECORDS))).out).toContain(
      'No recorded request is among these',
    )
  })

  test('refuses a limit and a profile that are none', async () => {
    for (const limit of ['0', 'many', '1e3', '1000000']) {
      const { exit, err } = await requests(['--limit', limit], roomWith([]))
      expect(exit, limit).toBe(64)
      expect(err).toContain('whole number')
    }
    expect((await requests(['--profile', 'work'], roomWith([]))).exit).toBe(64)
  })
})

describe('requests --follow', () => {
  async function followed(argv: readonly string[], { app, ledger, clock }: Room) {
    const terminal = fakeTerminal()
    const stopping = new AbortController()
    const ran = runCommand(['requests', '--follow', ...argv], addRequestsCommand, {
      app,
      terminal,
      signal: stopping.signal,
    })
    return {
      async add(record: RequestRecord, afterMs: number) {
        await settled()
        ledger.append(record)
        for (let passed = 0; passed < afterMs; passed += 500) {
          clock.advance(500)
          await settled()
        }
      },
      async stop() {
        await settled()
        stopping.abort()
        return ran
      },
    }
  }
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
  }
  const idsIn = (out: string): readonly string[] =>
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id)

  test('goes on with what comes, each once, one line of JSON each, until it is stopped', async () => {
    const room = roomWith(RECORDS)
    const following = await followed(['--json'], room)
    const later = aRequest({ at: NOW + 100, totalMs: 100 })
    const latest = aRequest({ at: NOW + 1_000, totalMs: 100 })
    await following.add(later, 1_000)
    await following.add(latest, 30_000)
    const { exit, out } = await following.stop()
    expect(exit).toBe(0)
    expect(idsIn(out)).toEqual([...RECORDS, later, latest].map(({ id }) => id))
  })

  test('also shows what another program wrote late, and nothing from before it began', async () => {
    const room = roomWith([...RECORDS, aRequest({ at: NOW - 1_000, totalMs: 100 })])
    const following = await followed(['--json', '--limit', '1'], room)
    await following.add(aRequest({ at: NOW + 4_000, totalMs: 0 }), 5_000)
    const late = aRequest({ at: NOW + 1_000, totalMs: 0 })
    await following.add(late, 1_000)
    const { out } = await following.stop()
    expect(idsIn(out)).toHaveLength(3)
    expect(idsIn(out).at(-1)).toBe(late.id)
  })

  test('keeps to one profile', async () => {
    const room = roomWith([])
    const following = await followed(['--json', '--profile', 'a:b'], room)
    await following.add(aRequest({ at: NOW, totalMs: 1 }), 1_000)
    const wanted = aRequest({ at: NOW + 900, totalMs: 1, profile: profile('a:b') })
    await following.add(wanted, 1_000)
    expect(idsIn((await following.stop()).out)).toEqual([wanted.id])
  })
})
