/** What doctor sees of the disk, and the few things that it may do there. Looking changes nothing. */

import type { StoreFault } from './fault.ts'
import type { ForeignOrigin } from './foreign.ts'
import type { Result } from './result.ts'
import type { EpochMs } from './time.ts'

/** How a writer names a file before it is in place. */
export const STRAY_NAME: RegExp = /\.[0-9a-f]{12}\.tmp$/

/** A file or folder of Equabot's own in the state folder, or that folder itself; links are not followed. */
export interface SeenEntry {
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link' | 'socket' | 'other'
  /** Permission bits. */
  readonly mode: number
  /** Whether it is this user's; always where the system knows no owners. */
  readonly isOurs: boolean
  /** Names that the file has. */
  readonly links: number
  readonly modifiedAt: EpochMs
  /** Of a link: the real path behind it; absent when it leads nowhere. */
  readonly leadsTo?: string
}

/** What a file system is, where it is one whose locks, renames or life differ from those of a local disk. */
export type FileSystemKind = 'nfs' | 'smb' | 'fuse' | '9p' | 'overlay'

export interface StateSight {
  readonly root: string
  /** The path behind all links of `root`. */
  readonly realRoot: string
  readonly exists: boolean
  /** It is this user's home, or holds it: nothing in it is told from what others keep there, so nothing was looked at. */
  readonly isShared: boolean
  /** Why nothing can be made in it, as the system says: `EROFS`. */
  readonly unwritable?: string
  /** The folder itself first; what Equabot does not make is not among them. */
  readonly entries: readonly SeenEntry[]
  /** There are more than were looked at. */
  readonly cut: boolean
  readonly unlistable: readonly { readonly path: string; readonly errno: string }[]
  /** Absent where the system does not say. */
  readonly freeBytes?: number
  readonly fileSystem?: FileSystemKind
  readonly settingsPath: string
  readonly envPath: string
}

/** A lock that the owner of a foreign login keeps as a folder. */
export interface SeenLock {
  readonly origin: ForeignOrigin
  readonly path: string
  readonly modifiedAt: EpochMs
}

/** Each change looks again first, and is not made where things are no longer as they were. */
export interface StateInspection {
  /** @faults `EQ_STORE_UNREADABLE`, `EQ_STORE_UNSAFE` the state folder itself cannot be looked at */
  look(): Promise<Result<StateSight, StoreFault>>
  /**
   * Takes the rights of others, and gives the owner those that are missing. Only what is this user's, is made by
   * Equabot and has one name; no link is followed.
   */
  keepToOwner(path: string): Promise<Result<void, StoreFault>>
  /** Removes what a killed writer left. */
  removeStray(path: string): Promise<Result<void, StoreFault>>
  /** Removes a folder `grants/<id>` with the files in it. */
  removeJournal(path: string): Promise<Result<void, StoreFault>>
  /** Copies a file beside itself. Gives the path of the copy, or undefined when there is no file. */
  backUp(path: string): Promise<Result<string | undefined, StoreFault>>
}

export interface OwnerLocks {
  look(): Promise<readonly SeenLock[]>
  /** Removes the lock if it is still the one that was seen. Gives whether it did. */
  remove(lock: SeenLock): Promise<Result<boolean, StoreFault>>
}
