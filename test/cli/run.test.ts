import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { createProgram } from '../../src/cli/program.ts'
import { run } from '../../src/cli/run.ts'
import { FAKE_TOKEN, loginApp, ran } from './login-app.ts'

const silent = { interactive: false, outputIsTerminal: false, colour: false, width: 80 }

function program(): Command {
  return createProgram({
    terminal: { ...silent, out: () => undefined, err: () => undefined } as never,
    version: '0.1.0',
    openApp: () => Promise.reject(new Error('help opens nothing')),
    signal: new AbortController().signal,
    setExit: () => undefined,
  })
}

function paths(command: Command, path: readonly string[] = []): readonly (readonly string[])[] {
  return [path, ...command.commands.flatMap((child) => paths(child, [...path, child.name()]))]
}

function commandsOf(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(commandsOf)]
}

describe('every command', () => {
  it.each(paths(program()).map((path) => [['equabot', ...path].join(' '), path]))(
    '%s --help exits 0 and ends with examples that begin with equabot',
    async (name, path) => {
      const { exit, out, err } = await ran([...path, '--help'])
      expect({ exit, err }).toEqual({ exit: 0, err: '' })
      expect(out).toContain(`Usage: ${name}`)
      expect(out).toMatch(/\nExamples:\n {2}.*equabot/)
    },
  )

  it('says what it does', () => {
    const silentOnes = commandsOf(program()).filter((command) => command.description() === '')
    expect(silentOnes.map((command) => command.name())).toEqual([])
  })

  it('stands under a heading of the help', async () => {
    const { out } = await ran(['--help'])
    expect(out).not.toContain('\nCommands:\n')
    for (const heading of ['Talk:', 'Logins and models:', 'The machine:'])
      expect(out).toContain(heading)
  })
})

describe('a bare equabot', () => {
  it('says first what to type first', async () => {
    const { exit, out } = await ran([])
    expect(exit).toBe(0)
    expect(out.split('\n').slice(0, 2)).toEqual([
      'Type first:',
      expect.stringContaining('equabot up'),
    ])
  })
})

describe('a mistake on the command line', () => {
  it.each([
    [['modles'], 'There is no command "equabot modles". Did you mean equabot models?'],
    [['help', 'modles'], 'Did you mean equabot models?'],
    [['models', 'statsu'], 'Did you mean equabot models status?'],
    [['models', 'auth', 'lst'], 'Did you mean equabot models auth list?'],
    [['models', 'status', 'now'], "Too many arguments for 'status'"],
    [['models', 'status', '--jsn'], "Unknown option '--jsn'. Did you mean --json?"],
    [['models', 'auth', 'paste-token'], "Required option '--provider <id>' not specified"],
    [['models', 'auth', 'paste-token', '--provider', 'openai', '--type', 'x'], 'api_key, token'],
    [['models', 'set'], "Missing required argument 'model'"],
    [['completion', 'tcsh'], 'bash, zsh, fish'],
  ])('%j exits 64 and says what is possible', async (argv, words) => {
    const { exit, out, err } = await ran(argv)
    expect({ exit, out }).toEqual({ exit: 64, out: '' })
    expect(err).toContain(words)
    expect(err).toMatch(/\nSee: equabot.* --help\n$/)
  })

  it('names the help of the command where it happened', async () => {
    const { err } = await ran(['models', 'auth', 'order', 'set', '--nope'])
    expect(err).toContain('See: equabot models auth order set --help')
  })

  it('is JSON on stdout with --json', async () => {
    const { exit, out, err } = await ran(['models', 'status', '--json', '--nope'])
    expect({ exit, err }).toEqual({ exit: 64, err: '' })
    expect(JSON.parse(out)).toMatchObject({ ok: false, error: { code: 'EQ_USAGE' } })
  })

  it('shows the help of a group that was named without a command', async () => {
    const { exit, out, err } = await ran(['models', 'auth'])
    expect({ exit, out }).toEqual({ exit: 64, out: '' })
    expect(err).toContain('Usage: equabot models auth')
  })

  it.each([
    [[FAKE_TOKEN]],
    [['models', FAKE_TOKEN]],
    [['models', 'auth', 'paste-token', '--provider', 'anthropic', FAKE_TOKEN]],
    [['models', 'auth', 'paste-token', '--provider', 'anthropic', '--token', FAKE_TOKEN]],
    [['models', 'auth', 'paste-token', '--provider', 'anthropic', `--token=${FAKE_TOKEN}`]],
    [['models', 'auth', 'paste-token', '--provider', FAKE_TOKEN]],
    [['models', 'auth', 'paste-token', '--provider', 'anthropic', '--expires-in', FAKE_TOKEN]],
    [['models', 'auth', 'paste-token', '--provider', 'anthropic', '--profile-id', FAKE_TOKEN]],
    [['models', 'auth', 'remove', FAKE_TOKEN]],
    [['models', 'set', FAKE_TOKEN]],
  ])('never repeats a secret that was typed as an argument (%#)', async (argv) => {
    const { exit, out, err } = await ran(argv, loginApp({ variables: { OPENAI_API_KEY: 'fake' } }))
    expect(exit).toBeGreaterThan(0)
    expect(out + err).not.toContain(FAKE_TOKEN.slice(13, 40))
  })
})

describe('a fault of the program itself', () => {
  it('exits 70 with a short message and no stack', async () => {
    const broken = { app: { loadWorld: 'not a function' } as never }
    const { exit, err } = await ran(['models', 'auth', 'list'], broken)
    expect(exit).toBe(70)
    expect(err).toContain('A fault of Equabot itself')
    expect(err).not.toMatch(/\n\s+at /)
  })
})

describe('the version', () => {
  it('is one line on stdout', async () => {
    expect(await ran(['--version'])).toMatchObject({ exit: 0, out: '0.1.0\n', err: '' })
  })

  it('opens no app', async () => {
    const openApp = () => Promise.reject(new Error('opened'))
    const terminal = { ...silent, out: () => undefined, err: () => undefined } as never
    const signal = new AbortController().signal
    expect(await run(['--version'], { terminal, version: '1', openApp, signal })).toBe(0)
  })
})
