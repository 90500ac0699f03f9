import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { User } from './harness.ts'
import { newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

/** Every command below `path`, as its help names them. */
async function commandsBelow(path: readonly string[]): Promise<readonly string[][]> {
  const { code, out, err } = await user.run([...path, '--help'])
  expect({ code, err }, path.join(' ')).toEqual({ code: 0, err: '' })
  expect(out, path.join(' ')).toMatch(/^Usage: equabot/)
  expect(out, path.join(' ')).toMatch(/\nExamples:\n +\S/)
  const [usage = ''] = out.split('\n')
  if (!usage.endsWith('[command]')) return [[...path]]
  const names = [...out.matchAll(/^ {2}([a-z][a-z-]*)(?: [[<].*?)? {2,}\S/gm)]
    .map((match) => match[1] ?? '')
    .filter((name) => name !== '' && name !== 'help' && name !== 'equabot')
  const below = await Promise.all(names.map((name) => commandsBelow([...path, name])))
  return [[...path], ...below.flat()]
}

test('every command answers --help with examples', async () => {
  const commands = (await commandsBelow([])).map((path) => path.join(' '))
  expect(commands).toEqual(
    expect.arrayContaining([
      'up',
      'chat',
      'agent',
      'sessions show',
      'models status',
      'models aliases add',
      'models fallbacks clear',
      'models auth paste-token',
      'models auth setup-token',
      'models auth import',
      'models auth order set',
      'models auth explain',
      'models auth restore',
      'models auth sync',
      'agents add',
      'sandbox keys',
      'gateway run',
      'gateway status',
      'usage',
      'requests',
      'events',
      'doctor',
      'config validate',
      'completion',
    ]),
  )
})

test('help and --version answer 0; the bare name says what to type first', async () => {
  const help = await user.run(['help'])
  expect(help).toMatchObject({ code: 0, err: '' })
  expect(help.out).toBe((await user.run(['--help'])).out)
  expect((await user.run(['help', 'models'])).out).toMatch(/^Usage: equabot models/)
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string }
  for (const flag of ['--version', '-v']) {
    expect(await user.run([flag])).toEqual({ code: 0, out: `${version}\n`, err: '' })
  }
  expect((await user.run([])).out).toMatch(/^Type first:\n +equabot up/)
})

test('unknown commands and options exit 64 with what may have been meant', async () => {
  for (const [args, words] of [
    [['modles'], 'Did you mean equabot models?'],
    [['models', 'statsu'], 'Did you mean equabot models status?'],
    [['models', 'auth', 'lst'], 'Did you mean equabot models auth list?'],
    [['models', 'status', '--jsn'], 'Did you mean --json?'],
    [['models', 'set'], "Missing required argument 'model'"],
    [['gateway', 'run', '--port'], '--port <number>'],
  ] as const) {
    const ran = await user.run(args)
    expect(ran, args.join(' ')).toMatchObject({ code: 64, out: '' })
    expect(ran.err).toContain(words)
    expect(ran.err).toMatch(/See: equabot.* --help\n$/)
  }
  expect(await user.files()).toEqual({})
})

test('a mistake is told as JSON on stdout where JSON was asked for', async () => {
  for (const args of [
    ['models', 'status', '--agent', 'nobody'],
    ['models', 'statsu'],
  ]) {
    const ran = await user.run([...args, '--json'])
    expect(ran).toMatchObject({ code: 64, err: '' })
    expect(JSON.parse(ran.out)).toMatchObject({
      ok: false,
      error: { code: expect.stringMatching(/^EQ_/), message: expect.any(String) },
    })
  }
})

describe('colour', () => {
  const ESCAPE = '\u001b['

  test('is there on a terminal, and not with --no-color, NO_COLOR or a pipe', async () => {
    const withColour = { variables: { NO_COLOR: '' } }
    const screenOf = async (args: readonly string[], options = {}): Promise<string> => {
      const seat = user.sit(args, options)
      expect(await seat.ended()).toBe(0)
      return seat.screen()
    }
    expect(await screenOf(['models', 'status'], withColour)).toContain(ESCAPE)
    expect(await screenOf(['models', 'status', '--no-color'], withColour)).not.toContain(ESCAPE)
    expect(await screenOf(['--no-color', 'models', 'status'], withColour)).not.toContain(ESCAPE)
    expect(await screenOf(['models', 'status'])).not.toContain(ESCAPE)
    for (const args of [['models', 'status'], ['--help'], ['agents', 'list'], []]) {
      expect((await user.run(args, withColour)).out).not.toContain(ESCAPE)
    }
  })
})

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish'])(
    'for %s is a script that knows the commands and options',
    async (shell) => {
      const ran = await user.run(['completion', shell])
      expect(ran).toMatchObject({ code: 0, err: '' })
      for (const word of ['paste-token', 'fallbacks', 'expires-in']) expect(ran.out).toContain(word)
    },
  )

  test('for bash runs: it completes a command and an option', async () => {
    const { out } = await user.run(['completion', 'bash'])
    const complete = (line: string): string => {
      const words = line.split(' ')
      const script = `${out}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
COMP_LINE='${line}'; COMP_POINT=${line.length}
"$(complete -p equabot | sed 's/.*-F \\([^ ]*\\).*/\\1/')" equabot
printf '%s\\n' "\${COMPREPLY[@]}"`
      return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout
    }
    expect(complete('equabot models auth pa').trim()).toBe('paste-token')
    expect(complete('equabot models status --ch').trim()).toBe('--check')
  })

  test('for an unknown shell is refused with those that are known', async () => {
    const ran = await user.run(['completion', 'csh'])
    expect(ran).toMatchObject({ code: 64, out: '' })
    expect(ran.err).toMatch(/bash, zsh, fish/)
  })
})
