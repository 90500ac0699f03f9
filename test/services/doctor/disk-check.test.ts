import { describe, expect, test } from 'vitest'

import { tellFinding } from '../../../src/domain/finding-words.ts'
import type { SeenEntry } from '../../../src/domain/inspection.ts'
import { HOUR_MS, MINUTE_MS } from '../../../src/domain/time.ts'
import { FAKE_NOW } from '../../../src/testing.ts'
import { clinic, only } from './clinic.ts'

const BOOK = 'agents/main/agent/auth-profiles.json'
const STRAY = 'equabot.json.0123456789ab.tmp'

describe('a healthy machine', () => {
  test('has no findings, and everything was looked at', async () => {
    const report = await clinic().examine()
    expect(report).toMatchObject({ ok: true, findings: [], adopted: [] })
    expect(report.looked).toMatchObject({ files: 6, agents: 1, profiles: 1, skipped: [] })
  })
})

describe('the state folder', () => {
  test('that is not there yet is no trouble', async () => {
    const report = await clinic({ state: { exists: false, entries: [] } }).examine()
    expect(only(report, 'DR_STATE_MISSING').severity).toBe('info')
    expect(report.ok).toBe(true)
  })

  test('that cannot be written is an error', async () => {
    const report = await clinic({ state: { unwritable: 'EROFS' } }).examine()
    expect(only(report, 'DR_STATE_UNWRITABLE')).toMatchObject({ severity: 'error', errno: 'EROFS' })
  })

  test('that is not there and cannot be made is an error', async () => {
    const state = { exists: false, entries: [], unwritable: 'EACCES' }
    const report = await clinic({ state }).examine()
    const found = only(report, 'DR_STATE_UNWRITABLE')
    expect(found).toMatchObject({ severity: 'error', missing: true })
    const told = tellFinding(found, { show: (path) => path, now: FAKE_NOW })
    expect(told.message).toContain('does not exist and cannot be made (EACCES)')
    expect(told.fix).toContain('ls -ld /,')
    expect(report.ok).toBe(false)
  })

  test('that is the home, or holds it, is an error that only its user can mend', async () => {
    const report = await clinic({ state: { isShared: true, entries: [] } }).examine()
    expect(report.findings).toMatchObject([
      { code: 'DR_STATE_SHARED', severity: 'error', fixable: false, path: '/state' },
    ])
  })

  test('with more than can be looked at, or a folder that cannot be, says so', async () => {
    const unlistable = [{ path: '/state/agents', errno: 'EACCES' }]
    const report = await clinic({ state: { cut: true, unlistable } }).examine()
    expect(only(report, 'DR_STATE_LARGE').entries).toBe(5)
    expect(only(report, 'DR_FOLDER_UNREADABLE')).toMatchObject({ path: '/state/agents' })
  })
})

describe('a file', () => {
  test('that others may use is an error where it holds secrets, else a warning, and both are fixable', async () => {
    for (const [below, severity] of [
      ['', 'error'],
      [BOOK, 'error'],
      [`${BOOK}.prev`, 'error'],
      ['.env', 'error'],
      ['gateway-token', 'error'],
      [`grants/${'a'.repeat(32)}/answer`, 'error'],
      ['equabot.json', 'warn'],
      ['agents/main/sessions/monday.jsonl', 'warn'],
    ] as const) {
      const report = await clinic({ entries: { [below]: { mode: 0o644 + 0o100 } } }).examine()
      const found = only(report, 'DR_FILE_OPEN')
      expect({ below, severity: found.severity, fixable: found.fixable }).toEqual({
        below,
        severity,
        fixable: true,
      })
    }
  })

  const trouble: readonly (readonly [string, string, Partial<SeenEntry>])[] = [
    ['DR_FILE_CLOSED', BOOK, { mode: 0 }],
    ['DR_FILE_CLOSED', BOOK, { mode: 0o200 }],
    ['DR_FILE_CLOSED', 'agents', { kind: 'folder', mode: 0o600 }],
    ['DR_FILE_OWNER', BOOK, { isOurs: false }],
    ['DR_FILE_KIND', 'gateway-token', { kind: 'other' }],
    ['DR_FILE_NAMES', BOOK, { links: 2 }],
    ['DR_FILE_LINK', BOOK, { kind: 'link', leadsTo: '/elsewhere/book' }],
    ['DR_FILE_LINK', '.env', { kind: 'link' }],
    ['DR_FILE_LINK', '.env', { kind: 'link', leadsTo: '/state-of-another/.env' }],
  ]
  test.each(trouble)('%s: %s as %o', async (code, below, entry) => {
    const report = await clinic({ entries: { [below]: entry } }).examine()
    expect(report.findings).toMatchObject([{ code, path: `/state/${below}` }])
    expect(report.ok).toBe(false)
  })

  const fine: readonly (readonly [string, Partial<SeenEntry>])[] = [
    ['agents/main/sessions/monday.json', { links: 2 }],
    ['agents/main/sessions/monday.json', { links: 2, mode: 0o644 }],
    [BOOK, { mode: 0o400 }],
    ['agents', { kind: 'folder', mode: 0o500 }],
    [BOOK, { kind: 'link', leadsTo: '/state/other' }],
    [`grants/${'a'.repeat(32)}/socket`, { kind: 'socket', mode: 0o755 }],
  ]
  test.each(fine)('%s may be so: %o', async (below, entry) => {
    const { findings } = await clinic({ entries: { [below]: entry } }).examine()
    expect(findings.filter(({ code }) => code.startsWith('DR_FILE'))).toEqual([])
  })

  test('of secrets with several names is told when it is open, and left to its user', async () => {
    const report = await clinic({ entries: { [BOOK]: { links: 2, mode: 0o644 } } }).examine()
    expect(report.findings).toMatchObject([
      { code: 'DR_FILE_OPEN', fixable: false },
      { code: 'DR_FILE_NAMES', fixable: false },
    ])
  })

  test('of settings may be a link to dotfiles; a link to nowhere may not', async () => {
    const linked = (entry: Partial<SeenEntry>) =>
      clinic({ entries: { 'equabot.json': { kind: 'link', ...entry } } }).examine()
    const report = await linked({ leadsTo: '/home/dotfiles/equabot.json' })
    expect(only(report, 'DR_FILE_LINK').severity).toBe('info')
    expect(only(await linked({}), 'DR_FILE_LINK').severity).toBe('warn')
  })

  test('of a killed writer is named once it is an hour old, and no younger one', async () => {
    const aged = (ms: number) =>
      clinic({ entries: { [STRAY]: { modifiedAt: FAKE_NOW - ms } } }).codes()
    expect(await aged(HOUR_MS + 1)).toEqual(['DR_FILE_STRAY'])
    expect(await aged(HOUR_MS)).toEqual([])
    const others = { 'my.0123456789ab.tmp': { modifiedAt: 1 } }
    expect(await clinic({ entries: others }).codes()).toEqual([])
  })
})

describe('the disk', () => {
  test.each([
    [1024 * 1024 - 1, ['DR_DISK_FULL']],
    [1024 * 1024, ['DR_DISK_LOW']],
    [64 * 1024 * 1024, []],
    [undefined, []],
  ])('with %s bytes free', async (freeBytes, codes) => {
    const state = { freeBytes } as Partial<{ freeBytes: number }>
    expect(await clinic({ state }).codes()).toEqual(codes)
  })

  test('of another machine is a warning, the layer of a container only worth knowing', async () => {
    const on = (fileSystem: 'nfs' | 'overlay') => clinic({ state: { fileSystem } }).examine()
    expect(only(await on('nfs'), 'DR_DISK_KIND').severity).toBe('warn')
    expect(only(await on('overlay'), 'DR_DISK_KIND').severity).toBe('info')
  })
})

describe('the clock', () => {
  test('is doubted for files from the future, by more than machines differ', async () => {
    const dated = (ms: number) =>
      clinic({
        entries: {
          '.env': { modifiedAt: FAKE_NOW + ms },
          'equabot.json': { modifiedAt: FAKE_NOW + ms / 2 },
        },
      }).examine()
    expect((await dated(5 * MINUTE_MS)).findings).toEqual([])
    expect(only(await dated(20 * MINUTE_MS), 'DR_CLOCK_FUTURE')).toMatchObject({
      path: '/state/.env',
      files: 2,
      severity: 'warn',
    })
  })

  test('that says a time before this program was made is behind', async () => {
    const machine = clinic({
      entries: { '.env': { modifiedAt: FAKE_NOW }, '': { kind: 'folder', mode: 0o700 } },
    })
    machine.clock.advance(-60_000)
    expect(await machine.codes()).toEqual(['DR_CLOCK_BEHIND'])
  })
})
