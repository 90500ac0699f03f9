/** The few file operations that `files.ts` uses, so that tests can make any one of them fail. No decisions here. */

import type { BigIntStats } from 'node:fs'
import {
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises'

export interface FileSystem {
  open(path: string, flags: number, mode?: number): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Makes the folder and those above it; gives the first one that was made. */
  mkdir(path: string, mode: number): Promise<string | undefined>
  /** Removes an empty folder. */
  rmdir(path: string): Promise<void>
  readdir(path: string): Promise<readonly string[]>
  realpath(path: string): Promise<string>
  stat(path: string): Promise<FileFacts>
  lstat(path: string): Promise<FileFacts>
}

export interface OpenFile {
  read(): Promise<Buffer>
  /** Reads one byte; NaN past the end. */
  byteAt(position: number): Promise<number>
  write(data: Uint8Array): Promise<void>
  sync(): Promise<void>
  stat(): Promise<FileFacts>
  close(): Promise<void>
}

export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  readonly size: number
  /** Names that the file has. */
  readonly links: number
  readonly owner: number
  /** Permission bits. */
  readonly mode: number
  readonly modifiedAtNs: bigint
  readonly inode: bigint
}

export const nodeFileSystem: FileSystem = {
  async open(path, flags, mode) {
    const handle = await open(path, flags, mode)
    return {
      read: () => handle.readFile(),
      async byteAt(position) {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, position)
        return bytesRead === 1 ? buffer.readUInt8(0) : NaN
      },
      write: (data) => handle.writeFile(data),
      sync: () => handle.sync(),
      stat: async () => factsOf(await handle.stat({ bigint: true })),
      close: () => handle.close(),
    }
  },
  rename,
  unlink,
  rmdir,
  mkdir: (path, mode) => mkdir(path, { mode, recursive: true }),
  readdir: (path) => readdir(path),
  realpath: (path) => realpath(path),
  stat: async (path) => factsOf(await stat(path, { bigint: true })),
  lstat: async (path) => factsOf(await lstat(path, { bigint: true })),
}

function factsOf(stats: BigIntStats): FileFacts {
  const isFile = stats.isFile() && 'file'
  const isFolder = stats.isDirectory() && 'folder'
  const isLink = stats.isSymbolicLink() && 'link'
  return {
    kind: isFile || isFolder || isLink || 'other',
    size: Number(stats.size),
    links: Number(stats.nlink),
    owner: Number(stats.uid),
    mode: Number(stats.mode) & 0o7777,
    modifiedAtNs: stats.mtimeNs,
    inode: stats.ino,
  }
}
