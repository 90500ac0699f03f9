import { describe, expect, test } from 'vitest'

import { LEFT_RENEWING } from '../../src/domain/finding-words-logins.ts'
import type { App } from '../../src/services/app.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { SECOND_MS } from '../../src/domain/time.ts'
import { aBook, aProfile, FAKE_NOW } from '../../src/testing.ts'
import type { Clinic, Illness } from '../services/doctor/clinic.ts'
import { clinic } from '../services/doctor/clinic.ts'
import type { Person, Ran } from './login-app.ts'
import { loginApp, ran } from './login-app.ts'

const OPEN: Illness = { entries: { '.env': { mode: 0o644 } } }
const ORDER: Illness = { config: { auth: { order: { anthropic: ['anthropic:gone'] } } } }

function appOf(machine: Clinic): { readonly app: App } {
  const { app } = loginApp()
  return { app: { ...app, clock: machine.clock, openDoctor: async () => machine.doctor } }
}

function doctor(machine: Clinic, args: readonly string[] = [], person?: Person): Promise<Ran> {
  return ran(['doctor', ...args], appOf(machine), person)
}

describe('equabot doctor', () => {
  test('says shortly that all is well, and what was looked at', async () => {
    const { exit, out, err } = await doctor(clinic())
    expect({ exit, err }).toEqual({ exit: 0, err: '' })
    expect(out).toBe('All is well\nLooked at 6 files, 1 profile, 1 agent; made 21 checks\n')
  })

  test('says the gravest first, each with its code, its words and its fix, and what --fix would do', async () => {
    const { exit, out } = await doctor(
      clinic({ ...OPEN, state: { freeBytes: 5 * 1024 * 1024, fileSystem: 'overlay' } }),
    )
    expect(exit).toBe(1)
    expect(out.split('\n')).toEqual([
      'Wrong',
      '  DR_FILE_OPEN  Other users of this machine may use ~/.equabot/.env (mode 644), which holds secrets',
      '    Fix: chmod 600 ~/.equabot/.env',
      '',
      'Should not stay so',
      '  DR_DISK_LOW  The disk below ~/.equabot is nearly full (5 MiB free)',
      '    Make room; see: df -h ~/.equabot',
      '',
      'Good to know',
      expect.stringContaining('  DR_DISK_KIND  ~/.equabot lies on the own layer of a container'),
      expect.stringContaining('    Keep it in a volume'),
      '',
      'equabot doctor --fix puts right 1 of 3',
      '',
    ])
  })

  test('ends with 0 when there is only something worth knowing', async () => {
    const { exit, out } = await doctor(clinic({ state: { fileSystem: 'overlay' } }))
    expect(exit).toBe(0)
    expect(out).toContain('DR_DISK_KIND')
    expect(out).toContain('All is well')
  })

  test('says on a terminal which login it renews, one line each, and nothing in a pipe', async () => {
    const ended = (id: string) =>
      aProfile(id, {
        credential: {
          type: 'oauth',
          access: new Secret(`fake-access-${id}`),
          refresh: new Secret(`fake-refresh-${id}`),
          expiresAt: 1,
        },
      })
    const machine = () =>
      clinic({
        books: { main: aBook(ended('openai-codex:one'), ended('openai-codex:two')) },
        deps: { renew: async () => ok() },
      })
    const { err } = await doctor(machine(), [], { answers: {} })
    expect(err.match(/^Renewing openai-codex:(?:one|two), whose access has ended/gm)).toHaveLength(
      2,
    )
    expect((await doctor(machine())).err).toBe('')
  })

  test('says of a copy that is being renewed why it was left, on the screen and in JSON', async () => {
    const credential = {
      type: 'oauth',
      access: new Secret('fake-access'),
      refresh: new Secret('fake-refresh'),
      expiresAt: FAKE_NOW * 2,
    } as const
    const books = {
      main: aBook(
        aProfile('openai-codex:a', { credential }),
        aProfile('openai-codex:b', { credential }),
      ),
    }
    const machine = clinic({ books, deps: { holdGrant: async () => ok(undefined) } })
    const { exit, out } = await doctor(machine, ['--fix'])
    expect(exit).toBe(1)
    expect(out).toMatch(/not done {2}DR_GRANT_TWICE[\s\S]*\n {4}left: a renewal of it is under way/)
    const json = await doctor(machine, ['--fix', '--json'])
    expect(JSON.parse(json.out)).toMatchObject({
      findings: [{ code: 'DR_GRANT_TWICE', fixed: false, left: LEFT_RENEWING }],
    })
  })

  test('ends with 64 or more when it could not look', async () => {
    const { deps } = clinic()
    const fault = { code: 'EQ_STORE_UNREADABLE', path: '/state', errno: 'EACCES' } as const
    const machine = clinic({
      deps: { inspection: { ...deps.inspection, look: async () => fail(fault) } },
    })
    const { exit, out, err } = await doctor(machine)
    expect({ exit, out }).toEqual({ exit: 77, out: '' })
    expect(err).toContain('EACCES')
  })

  test('names the checks that it could not make', async () => {
    const fault = { code: 'EQ_CONFIG_SYNTAX', path: '/c', line: 1, column: 1, detail: 'x' } as const
    const { deps } = clinic()
    const settings = { ...deps.settings, read: async () => fail(fault) }
    const machine = clinic({ deps: { settings, loadWorld: async () => fail(fault) } })
    expect((await doctor(machine)).out).toContain('Not looked at, because the settings cannot')
  })

  test('tells what it took over from other programs', async () => {
    const changes = [{ profile: aProfile('anthropic:claude-cli').id, outcome: 'added' }]
    const machine = clinic({ deps: { adopt: async () => ({ changes, faults: [] }) } })
    expect((await doctor(machine)).out).toContain(
      'Taken over from other programs\n  anthropic:claude-cli: added\n',
    )
  })

  test('renews nothing with --offline', async () => {
    const machine = clinic({
      books: {
        main: aBook(
          aProfile('openai-codex:team', {
            credential: {
              type: 'oauth',
              access: new Secret('fake-access'),
              refresh: new Secret('fake-refresh'),
              expiresAt: FAKE_NOW - 1,
            },
          }),
        ),
      },
      deps: {
        renew: async () => {
          throw new Error('nothing may leave this machine')
        },
      },
    })
    expect((await doctor(machine, ['--offline'])).exit).toBe(0)
    expect((await doctor(machine)).err).toContain('nothing may leave this machine')
  })
})

describe('equabot doctor --fix', () => {
  test('does it without a question where nobody can be asked, and looks again', async () => {
    const machine = clinic(ORDER)
    const { exit, out, asked } = await doctor(machine, ['--fix'])
    expect({ exit, asked }).toEqual({ exit: 0, asked: [] })
    expect(out).toContain('done  DR_ORDER_UNKNOWN')
    expect(out).toContain('A copy is kept: ~/.equabot/equabot.json.before-doctor')
    expect(out).toContain('All is well')
    expect(machine.settings.raw()).toEqual({ auth: { order: {} } })
  })

  test('shows a person what is to be done and asks once; a no changes nothing', async () => {
    const machine = clinic(ORDER)
    const no = await doctor(machine, ['--fix'], { answers: { yes: false } })
    expect(no.asked).toEqual(['Do it?'])
    expect(no.err).toContain('To be put right:\n  DR_ORDER_UNKNOWN')
    expect(no.exit).toBe(1)
    expect(machine.done).toEqual([])
    const yes = await doctor(machine, ['--fix'], { answers: { yes: true } })
    expect(yes).toMatchObject({ exit: 0, asked: ['Do it?'] })
  })

  test('does not ask with --yes, nor when there is nothing to put right', async () => {
    expect((await doctor(clinic(ORDER), ['--fix', '--yes'], { answers: {} })).asked).toEqual([])
    expect((await doctor(clinic(), ['--fix'], { answers: {} })).asked).toEqual([])
  })

  test('tells what could not be put right', async () => {
    const { exit, out } = await doctor(clinic(OPEN), ['--fix'])
    expect(exit).toBe(1)
    // The disk of this test stays as it is.
    expect(out).toContain('not done  DR_FILE_OPEN')
    expect(out).toContain('1 finding for your own hand')
  })

  test('prints one JSON document with what was fixed', async () => {
    const { out } = await doctor(clinic(ORDER), ['--fix', '--json'])
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      findings: [{ code: 'DR_ORDER_UNKNOWN', fixed: true }],
    })
  })
})

test('a person who waits longer than a second is told why, a script is not', async () => {
  const slowly = async (person?: Person): Promise<Ran> => {
    let look = (): void => undefined
    const looked = new Promise<void>((resolve) => {
      look = resolve
    })
    const machine = clinic({
      deps: {
        async adopt() {
          await looked
          return { changes: [], faults: [] }
        },
      },
    })
    const running = doctor(machine, [], person)
    await new Promise((resolve) => setImmediate(resolve))
    machine.clock.advance(SECOND_MS)
    await new Promise((resolve) => setImmediate(resolve))
    look()
    return running
  }
  expect((await slowly({ answers: {} })).err).toBe('Looking at logins and files …\n')
  expect((await slowly()).err).toBe('')
})
