import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createEnvironmentReader } from '../../src/adapters/environment.ts'
import { createFiles } from '../../src/adapters/files.ts'
import type { EnvironmentReader } from '../../src/domain/ports.ts'
import type { Settings } from '../../src/domain/settings.ts'

let dir: string
let envFilePath: string
let shellCalls: number

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'equabot-env-'))
  envFilePath = join(dir, '.env')
  shellCalls = 0
})
afterEach(() => rm(dir, { recursive: true }))

function reader(
  own: Readonly<Record<string, string>>,
  shell: Readonly<Record<string, string>> = {},
): EnvironmentReader {
  return createEnvironmentReader({
    variables: new Map(Object.entries(own)),
    envFilePath,
    files: createFiles(),
    shell: {
      read: async () => {
        shellCalls += 1
        return { shell: '/bin/fake', variables: new Map(Object.entries(shell)) }
      },
    },
  })
}

function settings(vars: Readonly<Record<string, string>> = {}, enabled = false): Settings['env'] {
  return { vars: new Map(Object.entries(vars)), shellEnv: { enabled, timeoutMs: 1 } }
}

async function found(
  environment: EnvironmentReader,
  env: Settings['env'],
  names: readonly string[],
): Promise<unknown> {
  const read = await environment.read(env, names)
  if (!read.ok) return read.fault
  return [...read.value].map(([name, { value, from }]) => [name, value.reveal(), from.kind])
}

test('the process comes before .env, that before config, that before the shell', async () => {
  await writeFile(envFilePath, 'A=file\nB=file\n')
  const environment = reader({ A: 'own' }, { A: 's', B: 's', C: 's', D: 's', E: 's' })
  const env = settings({ A: 'c', B: 'c', C: 'c' }, true)
  expect(await found(environment, env, ['A', 'B', 'C', 'D'])).toEqual([
    ['A', 'own', 'process'],
    ['B', 'file', 'env_file'],
    ['C', 'c', 'config'],
    ['D', 's', 'shell'],
  ])
})

test('each variable says where it is from', async () => {
  await writeFile(envFilePath, '# keys\n\nA=1\n')
  const read = await reader({}, { C: '3' }).read(settings({ B: '2' }, true), ['A', 'B', 'C'])
  expect(read.ok && [...read.value.values()].map(({ from }) => from)).toEqual([
    { kind: 'env_file', path: envFilePath, line: 3 },
    { kind: 'config', field: 'env.vars.B' },
    { kind: 'shell', shell: '/bin/fake' },
  ])
})

test('blank is not set', async () => {
  await writeFile(envFilePath, 'A=\nB=" "\n')
  const environment = reader({ A: ' ', B: '' }, { A: '\n' })
  expect(await found(environment, settings({ A: '' }, true), ['A', 'B'])).toEqual([])
})

test('the shell is asked only where it is enabled and something is missing', async () => {
  const environment = reader({ A: '1' }, { B: '2' })
  await environment.read(settings(), ['B'])
  await environment.read(settings({}, true), ['A'])
  expect(shellCalls).toBe(0)
  await environment.read(settings({}, true), ['A', 'B'])
  expect(shellCalls).toBe(1)
})

test('a change of .env is seen', async () => {
  const environment = reader({})
  expect(await found(environment, settings(), ['A'])).toEqual([])
  await writeFile(envFilePath, 'A=1')
  expect(await found(environment, settings(), ['A'])).toEqual([['A', '1', 'env_file']])
  await writeFile(envFilePath, 'A=22')
  expect(await found(environment, settings(), ['A'])).toEqual([['A', '22', 'env_file']])
  await rm(envFilePath)
  expect(await found(environment, settings(), ['A'])).toEqual([])
})

describe('a reference in config', () => {
  test('is filled from any other place', async () => {
    await writeFile(envFilePath, 'FILE=f')
    const env = settings({ A: '${FILE}-${OWN}-${SHELL_ONLY}-${PLAIN}', PLAIN: 'p' }, true)
    expect(await found(reader({ OWN: 'o' }, { SHELL_ONLY: 's' }), env, ['A'])).toEqual([
      ['A', 'f-o-s-p', 'config'],
    ])
  })

  test('to itself means the shell', async () => {
    const env = settings({ A: '${A}' }, true)
    expect(await found(reader({}, { A: 's' }), env, ['A'])).toEqual([['A', 's', 'config']])
  })

  test('to nothing is not set', async () => {
    expect(await found(reader({}), settings({ A: '${GONE}' }), ['A'])).toEqual([])
  })
})

test('a .env that cannot be read is a fault, not an empty one', async () => {
  await mkdir(envFilePath)
  expect(await found(reader({}), settings(), ['A'])).toMatchObject({ path: envFilePath })
})
