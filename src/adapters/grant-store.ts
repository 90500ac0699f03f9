/**
 * The folders `grants/<id>/`: what a renewal notes before it acts, so that whoever comes after it can go on.
 *
 * Attempt and answer are slots, written in place into room that was made and forced to the disk before: a disk that
 * fills up in between cannot take the answer away.
 */

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { join } from 'node:path'

import type { GrantId } from '../domain/grant.ts'
import { parseGrantId } from '../domain/grant.ts'
import type { GrantStore, Journal, JournalPage } from '../domain/renewal-ports.ts'
import { ok } from '../domain/result.ts'
import {
  ANSWER_BYTES,
  emptyAttemptSlot,
  parseAnswerSlot,
  parseAttemptSlot,
  parseSpent,
  parseVerdict,
  renderAnswerSlot,
  renderAttemptSlot,
  renderSpentLine,
  renderVerdict,
} from '../wire/grant-journal.ts'
import { makeFolder, syncFolder } from './durable-file.ts'
import type { FileSystem } from './file-system.ts'
import { nodeFileSystem } from './file-system.ts'
import type { Files } from './files.ts'
import { errnoOf, reading, writing } from './files.ts'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants

interface Deps {
  readonly grantsDir: string
  readonly files: Files
  readonly system?: FileSystem
}

type Spent = JournalPage['spent']
const NONE_SPENT: Spent = new Map()

export function createGrantStore({ grantsDir, files, system = nodeFileSystem }: Deps): GrantStore {
  const verdicts = rememberedFile(files, parseVerdict)
  const spentLists = rememberedFile(files, parseSpent)
  const folderOf = (grant: GrantId): string => join(grantsDir, grant)

  return {
    journal: (grant) => createJournal(folderOf(grant), files, system),

    verdict: (grant) => verdicts(join(folderOf(grant), 'verdict')),

    spent: async (grant) => (await spentLists(join(folderOf(grant), 'spent'))) ?? NONE_SPENT,

    async list() {
      const names = await files.list(grantsDir)
      return names.ok ? names.value.flatMap((name) => parseGrantId(name) ?? []) : []
    },

    async forget(grant) {
      const folder = folderOf(grant)
      const names = await files.list(folder)
      for (const name of names.ok ? names.value : []) await files.remove(join(folder, name))
      await system.rmdir(folder).catch(() => undefined)
    },
  }
}

/** What a file holds, read anew when its version is another; undefined where it cannot be read. */
function rememberedFile<T>(
  files: Files,
  parse: (text: string) => T,
): (path: string) => Promise<T | undefined> {
  const seen = new Map<string, { readonly version: string; readonly value: T }>()
  return async function read(path) {
    const version = await files.version(path)
    if (!version.ok || version.value === undefined) return undefined
    const known = seen.get(path)
    if (known?.version === version.value) return known.value
    const file = await files.read(path)
    if (!file.ok || !file.value) return undefined
    const value = parse(file.value.text)
    seen.set(path, { version: file.value.version, value })
    return value
  }
}

function createJournal(folder: string, files: Files, system: FileSystem): Journal {
  const attemptPath = join(folder, 'attempt')
  const answerPath = join(folder, 'answer')
  const spentPath = join(folder, 'spent')
  const verdictPath = join(folder, 'verdict')

  return {
    async read() {
      const slots = await reading(folder, async () => ({
        attempt: await bytesOf(system, attemptPath),
        answer: await bytesOf(system, answerPath),
        spent: await bytesOf(system, spentPath),
        verdict: await bytesOf(system, verdictPath),
      }))
      return slots.ok ? ok(pageOf(slots.value)) : slots
    },

    reserve: (attempt) =>
      writing(attemptPath, async () => {
        await makeFolder(system, folder)
        // Random, so that no file system can store it in less room than the answer may take.
        await overwrite(system, answerPath, randomBytes(ANSWER_BYTES))
        await overwrite(system, attemptPath, renderAttemptSlot('reserved', attempt))
        await syncFolder(system, folder)
      }),

    markSent: (attempt) =>
      writing(attemptPath, () =>
        overwrite(system, attemptPath, renderAttemptSlot('sent', attempt)),
      ),

    keepAnswer: (attempt, answer, at) =>
      writing(answerPath, () =>
        overwrite(system, answerPath, renderAnswerSlot(attempt, answer, at)),
      ),

    noteSpent: (token, at) =>
      writing(spentPath, async () => {
        await makeFolder(system, folder)
        await append(system, spentPath, renderSpentLine(token, at))
        await syncFolder(system, folder)
      }),

    putVerdict: (verdict) => files.write(verdictPath, renderVerdict(verdict)),

    quarantine: () =>
      writing(answerPath, async () => {
        await system.rename(answerPath, `${answerPath}.quarantine`)
        await syncFolder(system, folder)
      }),

    clear: () =>
      writing(attemptPath, async () => {
        // The attempt first: an answer without an attempt is nothing, an attempt without its answer is a riddle.
        if ((await bytesOf(system, attemptPath)).length > 0) {
          await overwrite(system, attemptPath, emptyAttemptSlot())
        }
        await system.unlink(answerPath).catch(ifThere)
        await syncFolder(system, folder).catch(ifThere)
      }),
  }
}

function pageOf(
  slots: Readonly<Record<'attempt' | 'answer' | 'spent' | 'verdict', Buffer>>,
): JournalPage {
  const attempt = parseAttemptSlot(slots.attempt)
  const answer = parseAnswerSlot(slots.answer)
  const verdict = parseVerdict(slots.verdict.toString('utf8'))
  return {
    ...(attempt && { attempt }),
    ...(answer && { answer }),
    spent: parseSpent(slots.spent.toString('utf8')),
    ...(verdict && { verdict }),
  }
}

/** No bytes when there is no file. */
async function bytesOf(system: FileSystem, path: string): Promise<Buffer> {
  try {
    const file = await system.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      return await file.read()
    } finally {
      await file.close()
    }
  } catch (cause) {
    ifThere(cause)
    return Buffer.alloc(0)
  }
}

async function overwrite(system: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await system.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
  try {
    await file.write(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function append(system: FileSystem, path: string, line: string): Promise<void> {
  const file = await system.open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
  try {
    // A line that a crash left unfinished is closed first; an empty one is passed over.
    await file.write(Buffer.from(`\n${line}`))
    await file.sync()
  } finally {
    await file.close()
  }
}

function ifThere(cause: unknown): void {
  if (errnoOf(cause) !== 'ENOENT') throw cause
}
