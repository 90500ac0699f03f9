import { describe, expect, it } from 'vitest'
import type { ForeignFault } from '../../src/domain/fault.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import { aBook, aForeignLogin, aProfile, FAKE_NOW, memoryForeignSource } from '../../src/testing.ts'
import { FAKE_TOKEN, loginApp, ran } from './login-app.ts'

const SYNC = ['models', 'auth', 'sync']
const login = aForeignLogin({
  access: new Secret(FAKE_TOKEN),
  expiresAt: FAKE_NOW + 7 * HOUR_MS,
  email: 'me@x.example',
})
const DENIED: ForeignFault = {
  code: 'EQ_KEYCHAIN_DENIED',
  origin: 'claude-code',
  place: 'Keychain item "x"',
  remembered: false,
}

function machine(...sources: readonly ReturnType<typeof memoryForeignSource>[]) {
  return loginApp({ sources })
}

describe('models auth sync', () => {
  it('tells what changed, then that nothing did', async () => {
    const codex = memoryForeignSource('codex-cli')
    const app = machine(memoryForeignSource('claude-code', ok(login)), codex)
    const first = await ran(SYNC, app)
    expect(first).toMatchObject({ exit: 0, err: '' })
    expect(first.out).toBe(
      [
        'Claude Code  /home/me/.claude/.credentials.json',
        '  Added anthropic:claude-cli: oauth, me@x.example, access ends in 7 h (2026-01-01 07:00 UTC)',
        '',
        'Codex  /home/me/.codex/auth.json',
        '  There is no login',
        '',
      ].join('\n'),
    )
    const second = await ran(SYNC, app)
    expect(second.out).toContain('anthropic:claude-cli is up to date')
    expect(app.profiles.saves()).toBe(1)
    expect(first.out + second.out).not.toContain(FAKE_TOKEN.slice(-8))
  })

  it('fails when a source has a fault, with its words and what to do', async () => {
    const { exit, out } = await ran(SYNC, machine(memoryForeignSource('claude-code', fail(DENIED))))
    expect(exit).toBe(77)
    expect(out).toContain('Nothing was taken over')
    expect(out).toContain('Access to Keychain item "x" was denied')
    expect(out).toContain('To be asked again: equabot models auth sync')
  })

  it('says that a copy is kept only where there is one', async () => {
    const source = memoryForeignSource('claude-code', fail(DENIED))
    const app = machine(source)
    expect((await ran(SYNC, app)).out).not.toContain('copy is kept')
    source.put(ok(login))
    await ran(SYNC, app)
    source.put(fail(DENIED))
    const { out } = await ran(SYNC, app)
    expect(out).toContain('anthropic:claude-cli was left as it is')
    expect(out).toContain('The last good copy is kept')
  })

  it.each([
    [7 * HOUR_MS, /serves until 2026-01-01 07:00 UTC \(in 7 h\) and cannot be renewed/],
    [-HOUR_MS, /ended 1 h ago .* and cannot be renewed/],
  ])('says what is left of a login that has gone', async (leftMs, words) => {
    const source = memoryForeignSource(
      'claude-code',
      ok({ ...login, expiresAt: FAKE_NOW + leftMs }),
    )
    const app = machine(source)
    await ran(SYNC, app)
    source.put(ok(undefined))
    const { exit, out } = await ran(SYNC, app)
    expect(exit).toBe(0)
    expect(out.replaceAll(/\s+/g, ' ')).toMatch(words)
    expect(out).toContain('claude auth login')
    const json = JSON.parse((await ran([...SYNC, '--json'], app)).out)
    expect(json.sources).toMatchObject([{ copy: { expiresAt: FAKE_NOW + leftMs } }])
  })

  it('names what takes a login in that a stored credential stands in the way of', async () => {
    const stored = aProfile('anthropic:claude-cli', {
      credential: { type: 'token', token: new Secret('mine') },
      storedAt: FAKE_NOW,
    })
    const sources = [memoryForeignSource('claude-code', ok(login))]
    const app = loginApp({ sources, books: { main: aBook(stored) } })
    const out = (await ran(SYNC, app)).out.replaceAll(/\s+/g, ' ')
    expect(out).toContain('it holds a credential that you stored yourself')
    expect(out).toContain('forget yours: equabot models auth remove anthropic:claude-cli')
    expect(out).toContain('--profile-id anthropic:own')
  })

  it('takes a login with a remark, and says what should be mended', async () => {
    const remark: ForeignFault = {
      code: 'EQ_FOREIGN_OPEN',
      origin: 'claude-code',
      place: '/x',
      mode: 0o644,
      writable: false,
    }
    const { exit, out } = await ran(
      SYNC,
      machine(memoryForeignSource('claude-code', ok({ ...login, remark }))),
    )
    expect(exit).toBe(0)
    expect(out).toContain('Added anthropic:claude-cli')
    expect(out).toContain('chmod 600 /x')
  })

  it('says where a setup-token goes when nobody has a login', async () => {
    const none = machine(memoryForeignSource('claude-code'), memoryForeignSource('codex-cli'))
    const { exit, out } = await ran(SYNC, none)
    expect(exit).toBe(0)
    expect(out).toContain('claude setup-token prints its token and stores nothing')
    expect(out).toContain('equabot models auth paste-token --provider anthropic --expires-in 365d')
  })

  it('lets the system ask only a person at a terminal', async () => {
    const source = memoryForeignSource()
    await ran(SYNC, machine(source))
    await ran(SYNC, machine(source), { answers: {} })
    expect(source.looks).toEqual([false, true])
  })

  it('prints the same for programs, without a secret', async () => {
    const codex = memoryForeignSource(
      'codex-cli',
      fail({ code: 'EQ_FOREIGN_BLANK', origin: 'codex-cli', place: '/home/me/.codex/auth.json' }),
    )
    const app = machine(memoryForeignSource('claude-code', ok(login)), codex)
    const { exit, out } = await ran([...SYNC, '--json'], app)
    expect(exit).toBe(1)
    expect(out).not.toContain(FAKE_TOKEN.slice(-8))
    expect(JSON.parse(out)).toEqual({
      changed: true,
      sources: [
        {
          origin: 'claude-code',
          place: '/home/me/.claude/.credentials.json',
          profile: 'anthropic:claude-cli',
          outcome: 'added',
          type: 'oauth',
          expiresAt: FAKE_NOW + 7 * HOUR_MS,
          email: 'me@x.example',
        },
        {
          origin: 'codex-cli',
          place: '/home/me/.codex/auth.json',
          profile: 'openai-codex:codex-cli',
          outcome: 'fault',
          fault: expect.objectContaining({ code: 'EQ_FOREIGN_BLANK' }),
        },
      ],
    })
  })

  it('ends with the fault of a book that cannot be read', async () => {
    const app = loginApp({
      sources: [memoryForeignSource('claude-code', ok(login))],
      damage: { code: 'EQ_STORE_SYNTAX', path: '/b', line: 1, column: 1 },
    })
    const { exit, err } = await ran(SYNC, app)
    expect(exit).toBe(65)
    expect(err).toContain('/b is not valid JSON')
  })

  it('has help with examples', async () => {
    const { exit, out } = await ran([...SYNC, '--help'])
    expect(exit).toBe(0)
    expect(out).toContain('equabot models auth sync --json')
    expect(out).toContain('EQUABOT_FOREIGN_LOGINS=0')
    expect(out).toMatch(/Ends with 0 when .*1 when .*65 when .*75 when .*77 when/s)
  })
})
