import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { createFileCheck } from '../../src/adapters/file-check.ts'
import { createFiles } from '../../src/adapters/files.ts'
import type { FileProblem } from '../../src/domain/ports.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { parseSettings } from '../../src/wire/settings-file.ts'
import { temporaryFolder } from './temporary-folder.ts'

let envFilePath: string

beforeEach(() => {
  envFilePath = join(temporaryFolder(), '.env')
})

/** What is found beside these settings; `~` stands for the state folder. */
function problems(
  settingsText = '{}',
  books: readonly string[] = [],
): Promise<readonly FileProblem[]> {
  const folder = join(envFilePath, '..')
  const home = { envFilePath, tildify: (path: string) => path.replace(folder, '~') }
  const path = join(folder, 'equabot.json')
  const settings = orThrow(parseSettings(settingsText, path))
  return createFileCheck({ home, files: createFiles() })({ ...settings, path, exists: true }, books)
}

test('names a .env that others may read, and its lines that say nothing', async () => {
  expect(await problems()).toEqual([])
  writeFileSync(envFilePath, 'A=1\njunk\n')
  chmodSync(envFilePath, 0o644)
  const line = { field: '~/.env, line 2', problem: 'is not of the form NAME=value' }
  expect(await problems()).toEqual([
    { field: '~/.env', problem: expect.stringContaining('(mode 644). Run: chmod 600 ~/.env') },
    line,
  ])
  chmodSync(envFilePath, 0o600)
  expect(await problems()).toEqual([line])
})

test('names a book that others may read, and is silent about one that is not there', async () => {
  const book = join(envFilePath, '..', 'auth-profiles.json')
  expect(await problems('{}', [book])).toEqual([])
  writeFileSync(book, '{}')
  chmodSync(book, 0o640)
  expect(await problems('{}', [book])).toEqual([
    {
      field: '~/auth-profiles.json',
      problem: expect.stringContaining('(mode 640). Run: chmod 600 ~/auth-profiles.json'),
    },
  ])
})

test('leaves a .env that cannot be read to those who need its variables', async () => {
  mkdirSync(envFilePath)
  expect(await problems()).toEqual([])
})

test('names a secret in the settings by its field, never by its text', async () => {
  const found = await problems(
    '{ models: { providers: { groq: { apiKey: "fake-open-secret-1" } } } }',
  )
  expect(found.map(({ field }) => field)).toEqual(['~/equabot.json: models.providers.groq.apiKey'])
  expect(JSON.stringify(found)).not.toContain('fake-open-secret-1')
})
