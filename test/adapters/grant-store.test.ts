import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { createFiles } from '../../src/adapters/files.ts'
import type { FileSystem } from '../../src/adapters/file-system.ts'
import { nodeFileSystem } from '../../src/adapters/file-system.ts'
import { createGrantStore } from '../../src/adapters/grant-store.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { GrantId, Moment } from '../../src/domain/grant.ts'
import { markOf, newGrantId } from '../../src/domain/grant.ts'
import type { Attempt, GrantStore, RawAnswer } from '../../src/domain/renewal-ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { FAKE_NOW } from '../../src/testing.ts'
import { provider } from '../names-from.ts'
import { temporaryFolder } from './temporary-folder.ts'

const grant: GrantId = newGrantId(provider('acme'), new Secret('refresh-made-up'))
const token = markOf(new Secret('refresh-made-up'))
const moment: Moment = { at: FAKE_NOW, boot: 'one', upMs: 5 }
const attempt: Attempt = { id: 'a1', token, begun: moment, replays: 0 }
const answer: RawAnswer = {
  status: 200,
  headers: {},
  body: new Uint8Array(Buffer.from('{}')),
  complete: true,
}

function open(system: FileSystem = nodeFileSystem): { store: GrantStore; folder: string } {
  const grantsDir = join(temporaryFolder(), 'grants')
  const store = createGrantStore({ grantsDir, files: createFiles(system), system })
  return { store, folder: join(grantsDir, grant) }
}

describe('a journal', () => {
  test('that was never written is empty, and looking at it makes nothing', async () => {
    const { store, folder } = open()
    expect(orThrow(await store.journal(grant).read())).toEqual({ spent: new Map() })
    expect(await store.list()).toEqual([])
    expect(() => readdirSync(folder)).toThrow('ENOENT')
  })

  test('tells each step to whoever opens it next', async () => {
    const { store, folder } = open()
    const journal = store.journal(grant)
    orThrow(await journal.reserve(attempt))
    expect(orThrow(await store.journal(grant).read()).attempt).toEqual({
      phase: 'reserved',
      attempt,
    })
    orThrow(await journal.markSent(attempt))
    orThrow(await journal.keepAnswer(attempt, answer, moment))
    expect(orThrow(await store.journal(grant).read())).toMatchObject({
      attempt: { phase: 'sent', attempt },
      answer: { attempt: 'a1', at: moment, answer },
    })
    orThrow(await journal.noteSpent(token, moment))
    orThrow(await journal.clear())
    expect(orThrow(await store.journal(grant).read())).toEqual({
      spent: new Map([[token, moment]]),
    })
    expect(readdirSync(folder)).toEqual(['attempt', 'spent'])
    expect(await store.list()).toEqual([grant])
  })

  test('is open to nobody else', async () => {
    const { store, folder } = open()
    orThrow(await store.journal(grant).reserve(attempt))
    const mode = (path: string): number => statSync(path).mode & 0o777
    expect(mode(folder)).toBe(0o700)
    expect(readdirSync(folder).map((name) => mode(join(folder, name)))).toEqual([0o600, 0o600])
  })

  test('has room on the disk for the answer before it is asked for', async () => {
    const { store, folder } = open()
    orThrow(await store.journal(grant).reserve(attempt))
    expect(statSync(join(folder, 'answer')).blocks * 512).toBeGreaterThanOrEqual(256 * 1024)
  })

  test('holds no token but in the answer', async () => {
    const { store, folder } = open()
    const journal = store.journal(grant)
    orThrow(await journal.reserve(attempt))
    orThrow(await journal.noteSpent(token, moment))
    for (const name of readdirSync(folder)) {
      expect(readFileSync(join(folder, name), 'latin1')).not.toContain('refresh-made-up')
    }
  })

  test('says so when the disk refuses, and an intent that is not noted is no intent', async () => {
    const full: FileSystem = {
      ...nodeFileSystem,
      open: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
    }
    const { store } = open(full)
    expect(await store.journal(grant).reserve(attempt)).toMatchObject({
      ok: false,
      fault: { code: 'EQ_STORE_UNWRITABLE', errno: 'ENOSPC' },
    })
  })

  test('sets an answer aside where nobody takes it for ours', async () => {
    const { store, folder } = open()
    const journal = store.journal(grant)
    orThrow(await journal.reserve(attempt))
    orThrow(await journal.keepAnswer(attempt, answer, moment))
    orThrow(await journal.quarantine())
    expect(readdirSync(folder)).toContain('answer.quarantine')
    expect(orThrow(await journal.read()).answer).toBeUndefined()
  })
})

describe('the verdict of a grant', () => {
  const verdict = { token, moment, tries: 1, outcome: { kind: 'kept', words: 'w' } } as const

  test('is there for every process as soon as it is put', async () => {
    const { store } = open()
    expect(await store.verdict(grant)).toBeUndefined()
    orThrow(await store.journal(grant).putVerdict(verdict))
    expect(await store.verdict(grant)).toEqual(verdict)
    orThrow(await store.journal(grant).putVerdict({ ...verdict, tries: 2 }))
    expect((await store.verdict(grant))?.tries).toBe(2)
  })

  test('that cannot be read is none', async () => {
    const { store, folder } = open()
    orThrow(await store.journal(grant).putVerdict(verdict))
    writeFileSync(join(folder, 'verdict'), '{"token"')
    expect(await store.verdict(grant)).toBeUndefined()
  })

  test('is forgotten with its grant', async () => {
    const { store, folder } = open()
    orThrow(await store.journal(grant).putVerdict(verdict))
    await store.forget(grant)
    expect(() => readdirSync(folder)).toThrow('ENOENT')
  })
})
