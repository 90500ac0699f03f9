import { chmod, mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'

import { createTerminalProgram } from '../../src/adapters/terminal-program.ts'
import { temporaryFolder } from './temporary-folder.ts'

async function script(folder: string, name: string, text: string, mode = 0o755): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, `#!/bin/sh\n${text}\n`)
  await chmod(path, mode)
  return path
}

const silent = ['ignore', 'ignore', 'ignore'] as const
const never = new AbortController().signal
const base = new Map([['PATH', '/usr/bin:/bin']])

describe('find', () => {
  test('takes the first executable file of that name in an absolute folder of the PATH', async () => {
    const folder = temporaryFolder()
    for (const name of ['none', 'closed', 'folder', 'good', 'later']) {
      await mkdir(join(folder, name))
    }
    await script(join(folder, 'closed'), 'claude', '', 0o644)
    await mkdir(join(folder, 'folder', 'claude'))
    const good = await script(join(folder, 'good'), 'claude', '')
    await script(join(folder, 'later'), 'claude', '')
    const folders = ['', '.', 'relative', 'none', 'closed', 'folder', 'good', 'later']
    const path = folders
      .map((name) => (/^(?:|\.|relative)$/.test(name) ? name : join(folder, name)))
      .join(delimiter)
    const programs = createTerminalProgram({ variables: new Map([['PATH', path]]) })
    expect(await programs.find('claude')).toBe(good)
    expect(await programs.find('other')).toBeUndefined()
    expect(await createTerminalProgram({ variables: new Map() }).find('claude')).toBeUndefined()
  })
})

describe('run', () => {
  afterEach(() => vi.restoreAllMocks())

  test('gives the exit code, and hands arguments on as they are, past no shell', async () => {
    const folder = temporaryFolder()
    const out = await open(join(folder, 'out'), 'w')
    const path = await script(folder, 'claude', 'printf "%s\\n" "$@"; exit 7')
    const programs = createTerminalProgram({
      variables: base,
      stdio: ['ignore', out.fd, 'ignore'],
    })
    const args = ['setup-token', '$(touch gone)', 'a b; exit 0']
    expect(await programs.run(path, args, never)).toEqual({ kind: 'ended', exit: 7 })
    await out.close()
    expect(await readFile(join(folder, 'out'), 'utf8')).toBe(`${args.join('\n')}\n`)
  })

  test('passes on what a terminal program needs and nothing else', async () => {
    const folder = temporaryFolder()
    const out = await open(join(folder, 'out'), 'w')
    const path = await script(folder, 'claude', '/usr/bin/env')
    const wanted = {
      PATH: '/usr/bin:/bin',
      HOME: folder,
      TERM: 'xterm',
      LC_CTYPE: 'C',
      XDG_RUNTIME_DIR: folder,
      SSH_TTY: '/dev/pts/9',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      no_proxy: 'localhost',
      CLAUDE_CONFIG_DIR: folder,
      CLAUDE_SECURESTORAGE_CONFIG_DIR: folder,
    }
    const withheld = {
      ANTHROPIC_API_KEY: 'fake-key',
      CLAUDE_CODE_OAUTH_TOKEN: 'fake-token',
      EQUABOT_STATE_DIR: folder,
      NODE_OPTIONS: '--inspect',
      LD_PRELOAD: '',
    }
    const variables = new Map(Object.entries({ ...wanted, ...withheld }))
    const programs = createTerminalProgram({ variables, stdio: ['ignore', out.fd, 'ignore'] })
    expect(await programs.run(path, [], never)).toEqual({ kind: 'ended', exit: 0 })
    await out.close()
    const printed = (await readFile(join(folder, 'out'), 'utf8')).split('\n')
    expect(printed).toEqual(
      expect.arrayContaining(Object.entries(wanted).map(([name, value]) => `${name}=${value}`)),
    )
    for (const name of Object.keys(withheld)) {
      expect(printed.some((line) => line.startsWith(`${name}=`))).toBe(false)
    }
  })

  test('an interrupt that ends the program is told as one, and our own listeners do not hear it', async () => {
    const heard = vi.fn<() => void>()
    process.on('SIGINT', heard)
    try {
      const folder = temporaryFolder()
      const programs = createTerminalProgram({ variables: base, stdio: silent })
      const killed = await script(folder, 'killed', 'kill -INT $$')
      expect(await programs.run(killed, [], never)).toEqual({ kind: 'interrupted' })
      const coded = await script(folder, 'coded', 'exit 130')
      expect(await programs.run(coded, [], never)).toEqual({ kind: 'interrupted' })
      // As a terminal does: to the program and to us.
      const both = await script(folder, 'both', `kill -INT ${process.pid}; sleep 0.2; exit 3`)
      expect(await programs.run(both, [], never)).toEqual({ kind: 'interrupted' })
      const unmoved = await script(folder, 'unmoved', `kill -INT ${process.pid}; sleep 0.2; exit 0`)
      expect(await programs.run(unmoved, [], never)).toEqual({ kind: 'ended', exit: 0 })
      expect(heard).not.toHaveBeenCalled()
      expect(process.listeners('SIGINT')).toContain(heard)
    } finally {
      process.off('SIGINT', heard)
    }
  })

  test('a program killed by another signal has the exit code that a shell would give', async () => {
    const folder = temporaryFolder()
    const programs = createTerminalProgram({ variables: base, stdio: silent })
    const path = await script(folder, 'claude', 'kill -KILL $$')
    expect(await programs.run(path, [], never)).toEqual({ kind: 'ended', exit: 137 })
  })

  test('the signal asks the program to end and waits for its end', async () => {
    const folder = temporaryFolder()
    const out = await open(join(folder, 'out'), 'w')
    const programs = createTerminalProgram({
      variables: base,
      stdio: ['ignore', out.fd, 'ignore'],
    })
    const path = await script(
      folder,
      'claude',
      `trap 'echo ended; exit 0' TERM; touch ${join(folder, 'begun')}; while :; do sleep 0.02; done`,
    )
    const stopping = new AbortController()
    const ending = programs.run(path, [], stopping.signal)
    await vi.waitFor(() => readFile(join(folder, 'begun')), { timeout: 10_000 })
    stopping.abort()
    expect(await ending).toEqual({ kind: 'interrupted' })
    await out.close()
    expect(await readFile(join(folder, 'out'), 'utf8')).toBe('ended\n')
    expect(await programs.run(path, [], stopping.signal)).toEqual({ kind: 'interrupted' })
  })

  test('a file that no system can execute ends with 126', async () => {
    const folder = temporaryFolder()
    const programs = createTerminalProgram({ variables: base, stdio: silent })
    const path = join(folder, 'claude')
    await writeFile(path, '#!/no/such/interpreter\n')
    await chmod(path, 0o755)
    expect(await programs.run(path, [], never)).toEqual({ kind: 'ended', exit: 126 })
  })
})
