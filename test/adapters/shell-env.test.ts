import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ShellEnvironment } from '../../src/adapters/shell-env.ts'
import { createShellEnvironment } from '../../src/adapters/shell-env.ts'

const PATIENT_MS = 20_000
/** Prints 3 MiB. */
const FLOOD = 'head -c 3145728 /dev/zero | tr "\\0" x'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'equabot-shell-'))
})
afterEach(() => rm(dir, { recursive: true }))

/** A shell that runs `startUp` and then the command it was given, as a login shell does. */
async function fakeShell(startUp: string, after = ''): Promise<ShellEnvironment> {
  const shell = join(dir, 'shell')
  const shellsPath = join(dir, 'shells')
  await writeFile(shell, `#!/bin/sh\n${startUp}\neval "$3"\n${after}\n`, { mode: 0o755 })
  await writeFile(shellsPath, `# shells\n${shell}\n`)
  return createShellEnvironment({ variables: variables(shell), shellsPath })
}

function variables(shell: string): ReadonlyMap<string, string> {
  return new Map([
    ['SHELL', shell],
    ['PATH', '/usr/bin:/bin'],
    ['COUNT', join(dir, 'count')],
  ])
}

test('gives what the start-up files set, whatever they print', async () => {
  const shell = await fakeShell(
    'echo junk; echo A=0; echo oops >&2\nexport A=1 B="x\ny=z"',
    'echo bye',
  )
  const read = await shell.read(PATIENT_MS)
  expect(read?.shell).toBe(join(dir, 'shell'))
  expect(read?.variables.get('A')).toBe('1')
  expect(read?.variables.get('B')).toBe('x\ny=z')
})

test('the exit code says nothing', async () => {
  const shell = await fakeShell('export A=1', 'exit 1')
  expect((await shell.read(PATIENT_MS))?.variables.get('A')).toBe('1')
})

test('a shell that fails before it is asked gives nothing', async () => {
  const shell = await fakeShell('exit 3')
  expect(await shell.read(PATIENT_MS)).toBeUndefined()
})

test('a shell that waits is given up', async () => {
  const shell = await fakeShell('sleep 1000')
  expect(await shell.read(300)).toBeUndefined()
})

test.runIf(process.platform === 'linux')('what it started ends with it', async () => {
  const shell = await fakeShell(`sleep 1000 & echo $! > "$COUNT"\n${FLOOD}; wait`)
  expect(await shell.read(PATIENT_MS)).toBeUndefined()
  const pid = (await readFile(join(dir, 'count'), 'utf8')).trim()
  const state = async () =>
    (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'Z')).split(' ').at(2) ?? 'Z'
  await vi.waitFor(async () => expect(await state()).toBe('Z'))
})

test('a start-up file that leaves something running holds nobody up', async () => {
  const shell = await fakeShell('sleep 5 &\nexport A=1')
  expect((await shell.read(PATIENT_MS))?.variables.get('A')).toBe('1')
})

test('a start-up file that asks a question gets no answer', async () => {
  const shell = await fakeShell('read answer; export A="[$answer]"')
  expect((await shell.read(PATIENT_MS))?.variables.get('A')).toBe('[]')
})

test('more than 2 MiB is too much', async () => {
  const shell = await fakeShell(FLOOD)
  expect(await shell.read(PATIENT_MS)).toBeUndefined()
})

test('the shell is started once', async () => {
  const shell = await fakeShell('echo . >> "$COUNT"')
  await Promise.all([shell.read(PATIENT_MS), shell.read(PATIENT_MS)])
  await shell.read(PATIENT_MS)
  expect(await readFile(join(dir, 'count'), 'utf8')).toBe('.\n')
})

test.each(['relative/shell', '/nowhere/shell', '/usr/bin/env'])(
  '%s is no login shell, so sh is asked',
  async (named) => {
    const shell = createShellEnvironment({ variables: variables(named) })
    const read = await shell.read(PATIENT_MS)
    expect(read?.shell).toBe('/bin/sh')
    expect(read?.variables.get('COUNT')).toBe(join(dir, 'count'))
  },
)
