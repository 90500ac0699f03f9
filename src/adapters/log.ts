/** What happened, one JSON line each, without secrets. A log that cannot be written stops nothing else. */

import {
  constants,
  mkdirSync,
  closeSync,
  fstatSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

import type { Clock, Log } from '../domain/ports.ts'
import { safeWords } from '../wire/safe-words.ts'

const MAX_FILE_BYTES: number = 5 * 1024 * 1024
/** Longest text that one field may hold, characters. */
const LONGEST_TEXT = 2_000

/**
 * A log whose lines go to `write`.
 *
 * @param write takes one line, with its line break
 */
export function createLog(deps: {
  readonly clock: Clock
  readonly write: (line: string) => void
}): Log {
  return {
    write(level, event, fields) {
      deps.write(lineOf(new Date(deps.clock.now()).toISOString(), level, event, fields))
    },
  }
}

/** Writes to standard error, where a service manager or a terminal picks it up. */
export function writeToStderr(line: string): void {
  process.stderr.write(line)
}

/**
 * Writes to a file, mode 0600, that is moved to `<path>.1` when it has grown large.
 *
 * @param maxBytes size from which the file is moved aside, bytes
 */
export function createLogFile(
  path: string,
  maxBytes: number = MAX_FILE_BYTES,
): (line: string) => void {
  return (line) => {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      if (appendTo(path, line) >= maxBytes) renameSync(path, `${path}.1`)
    } catch {
      return
    }
  }
}

/** Gives the size of the file afterwards, bytes. */
function appendTo(path: string, line: string): number {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
  try {
    writeSync(fd, line)
    return fstatSync(fd).size
  } finally {
    closeSync(fd)
  }
}

function lineOf(
  at: string,
  level: Parameters<Log['write']>[0],
  event: string,
  fields: Readonly<Record<string, unknown>> = {},
): string {
  const line = { at, level, event: safeWords(event) }
  try {
    const all = { ...line, ...fields, ...line }
    return `${JSON.stringify(all, (_, value: unknown) => plain(value))}\n`
  } catch {
    return `${JSON.stringify({ ...line, fields: 'not serialisable' })}\n`
  }
}

/** Secrets of ours mask themselves; this masks what looks like one in text that came from elsewhere. */
function plain(value: unknown): unknown {
  if (typeof value === 'string') return safeWords(value, LONGEST_TEXT)
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) {
    return { name: value.name, message: value.message, cause: value.cause }
  }
  return value
}
