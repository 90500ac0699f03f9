/**
 * Another program's credential file, read with care: what others of this machine could have put there is not trusted,
 * and what its owner is just writing is looked at again. Nothing is changed.
 */

import { constants } from 'node:fs'

import type { ForeignFault } from '../domain/fault.ts'
import type { Clock } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { ForeignPlace, OwnerLogin, OwnerLoginParser } from '../wire/foreign-text.ts'
import { errnoOf, versionOf } from './files.ts'
import type { FileFacts, FileSystem } from './file-system.ts'
import { nodeFileSystem } from './file-system.ts'

/** A login as it stands in the file, and what should not stay so about the file. */
export interface FoundLogin {
  readonly login: OwnerLogin
  readonly remark?: ForeignFault
}

export type FileReading = Result<FoundLogin | undefined, ForeignFault>

export interface ForeignFile {
  /** The login; undefined when there is no file, or none in it. An unchanged file costs one look at its name. */
  read(): Promise<FileReading>
  /** The login with the bytes that hold it, as they are at this instant. */
  readBytes(): Promise<Result<ForeignBytes | undefined, ForeignFault>>
}

export interface ForeignBytes {
  readonly bytes: Buffer
  readonly facts: FileFacts
  readonly login: OwnerLogin
}

export interface ForeignFileDeps extends ForeignPlace {
  readonly parse: OwnerLoginParser
  readonly clock: Clock
  readonly system?: FileSystem
  /** Whose files are trusted; undefined where the system has no such numbers. */
  readonly userId?: number | undefined
}

const MAX_BYTES: number = 1024 * 1024
const OPENING: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
/** Together less than half a second, which no writer needs for so small a file. */
const AGAIN_AFTER_MS: readonly number[] = [50, 150, 250]
const OTHERS_MAY_WRITE = 0o022
const OTHERS_MAY_READ = 0o044

export function createForeignFile(deps: ForeignFileDeps): ForeignFile {
  const { origin, place } = deps
  const system = deps.system ?? nodeFileSystem
  const userId = 'userId' in deps ? deps.userId : process.getuid?.()
  let known: { readonly version: string; readonly content: Content } | undefined

  /** The name's facts, or why what it names is not trusted. Undefined: there is no such file. */
  async function look(): Promise<Result<FileFacts | undefined, ForeignFault>> {
    try {
      const facts = await system.lstat(place)
      const hazard = hazardOf(facts)
      return hazard ? fail(hazard) : ok(facts)
    } catch (cause) {
      return absentOrUnreadable(cause)
    }
  }

  function hazardOf(facts: FileFacts): ForeignFault | undefined {
    if (facts.kind === 'link') return { code: 'EQ_FOREIGN_LINK', origin, place }
    if (facts.kind !== 'file') return { code: 'EQ_FOREIGN_KIND', origin, place }
    if (userId === undefined) return undefined
    if (facts.owner !== userId) return { code: 'EQ_FOREIGN_OWNER', origin, place }
    if ((facts.mode & OTHERS_MAY_WRITE) !== 0) return openToOthers(facts, true)
    return undefined
  }

  function openToOthers(facts: FileFacts, writable: boolean): ForeignFault {
    return { code: 'EQ_FOREIGN_OPEN', origin, place, mode: facts.mode & 0o777, writable }
  }

  function absentOrUnreadable(cause: unknown): Result<undefined, ForeignFault> {
    const errno = errnoOf(cause)
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return ok(undefined)
    // The name became a link after we looked at it.
    if (errno === 'ELOOP') return fail({ code: 'EQ_FOREIGN_LINK', origin, place })
    return fail({ code: 'EQ_FOREIGN_UNREADABLE', origin, place, errno })
  }

  /** What the open file is counts: its name may have changed since it was looked at. */
  async function load(): Promise<Result<Loaded | undefined, ForeignFault>> {
    try {
      const file = await system.open(place, OPENING)
      try {
        const facts = await file.stat()
        const hazard = hazardOf(facts)
        if (hazard) return fail(hazard)
        if (facts.size > MAX_BYTES) {
          return fail({ code: 'EQ_FOREIGN_UNREADABLE', origin, place, errno: 'EFBIG' })
        }
        const bytes = await file.read()
        return ok({ bytes, facts, content: deps.parse(bytes.toString('utf8'), place) })
      } finally {
        await file.close()
      }
    } catch (cause) {
      return absentOrUnreadable(cause)
    }
  }

  /** Its owner may be writing it: what is not whole is read again before it is called broken. */
  async function loadWhole(): Promise<Result<Loaded | undefined, ForeignFault>> {
    for (const ms of AGAIN_AFTER_MS) {
      const loaded = await load()
      if (!loaded.ok || !loaded.value || !isBroken(loaded.value.content)) return loaded
      await deps.clock.sleep(ms)
    }
    return load()
  }

  return {
    async read() {
      const looked = await look()
      if (!looked.ok || !looked.value) return looked.ok ? ok(undefined) : looked
      const remark =
        userId !== undefined && (looked.value.mode & OTHERS_MAY_READ) !== 0
          ? openToOthers(looked.value, false)
          : undefined
      if (known?.version !== versionOf(looked.value)) {
        const loaded = await loadWhole()
        if (!loaded.ok) return loaded
        if (!loaded.value) return ok(undefined)
        known = { version: versionOf(loaded.value.facts), content: loaded.value.content }
      }
      const { content } = known
      if (!content.ok || !content.value) return content.ok ? ok(undefined) : content
      return ok({ login: content.value, ...(remark && { remark }) })
    },

    async readBytes() {
      const looked = await look()
      if (!looked.ok || !looked.value) return looked.ok ? ok(undefined) : looked
      const loaded = await loadWhole()
      if (!loaded.ok || !loaded.value) return loaded.ok ? ok(undefined) : loaded
      const { bytes, facts, content } = loaded.value
      if (!content.ok || !content.value) return content.ok ? ok(undefined) : content
      return ok({ bytes, facts, login: content.value })
    },
  }
}

type Content = ReturnType<OwnerLoginParser>

interface Loaded {
  readonly bytes: Buffer
  readonly facts: FileFacts
  readonly content: Content
}

function isBroken(content: Content): boolean {
  return !content.ok && content.fault.code === 'EQ_FOREIGN_SYNTAX'
}
