/** A disk that fails when it is told to. */

import type { FileSystem, OpenFile } from '../../src/adapters/file-system.ts'
import { nodeFileSystem } from '../../src/adapters/file-system.ts'

export interface Trouble {
  readonly errno: string
  readonly nth: number
  readonly isLasting: boolean
}

/**
 * A file system whose n-th operation fails, and those after it where the trouble lasts.
 *
 * @param isOver whether lasting trouble has ended by now
 */
export function failing(
  { errno, nth, isLasting }: Trouble,
  isOver = (): boolean => false,
): {
  readonly system: FileSystem
  /** How many operations have failed so far. */
  readonly failed: () => number
} {
  let done = 0
  let failed = 0
  async function step<T>(operation: () => Promise<T>): Promise<T> {
    const turn = done
    done += 1
    if (turn !== nth && !(isLasting && turn > nth && !isOver())) return operation()
    failed += 1
    throw Object.assign(new Error(errno), { code: errno })
  }
  const real = nodeFileSystem
  const file = (opened: OpenFile): OpenFile => ({
    read: () => step(() => opened.read()),
    byteAt: (position) => step(() => opened.byteAt(position)),
    write: (data) => step(() => opened.write(data)),
    sync: () => step(() => opened.sync()),
    stat: () => step(() => opened.stat()),
    // A close that reports an error has closed all the same.
    close: () => opened.close().then(() => step(async () => undefined)),
  })
  const system: FileSystem = {
    open: (path, flags, mode) => step(async () => file(await real.open(path, flags, mode))),
    rename: (from, to) => step(() => real.rename(from, to)),
    unlink: (path) => step(() => real.unlink(path)),
    mkdir: (path, mode) => step(() => real.mkdir(path, mode)),
    rmdir: (path) => step(() => real.rmdir(path)),
    readdir: (path) => step(() => real.readdir(path)),
    realpath: (path) => step(() => real.realpath(path)),
    stat: (path) => step(() => real.stat(path)),
    lstat: (path) => step(() => real.lstat(path)),
  }
  return { system, failed: () => failed }
}
