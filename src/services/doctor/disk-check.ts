/** Checks of the state folder, the disk below it, and the clock. */

import type { Finding } from '../../domain/finding.ts'
import { finding } from '../../domain/finding.ts'
import type { SeenEntry, StateSight } from '../../domain/inspection.ts'
import { isOwnStray } from '../../domain/state-places.ts'
import { HOUR_MS, MINUTE_MS } from '../../domain/time.ts'
import type { Sight } from './sight.ts'

const MEBIBYTE: number = 1024 * 1024
const FULL_BYTES: number = MEBIBYTE
const LOW_BYTES: number = 64 * MEBIBYTE
/** A file may be younger than the clock by what two machines differ. */
const CLOCK_SLACK_MS: number = 5 * MINUTE_MS
/** No clock that is right says anything before the year in which this program was made. */
const MADE_AFTER: number = Date.UTC(2026, 0, 1)

export function stateFolderCheck({ state }: Sight): readonly Finding[] {
  const { root, exists, isShared, unwritable, unlistable, cut, entries } = state
  if (!exists && unwritable !== undefined) {
    return [finding({ code: 'DR_STATE_UNWRITABLE', path: root, errno: unwritable, missing: true })]
  }
  if (!exists) return [finding({ code: 'DR_STATE_MISSING', path: root })]
  return [
    ...(isShared ? [finding({ code: 'DR_STATE_SHARED', path: root })] : []),
    ...(unwritable !== undefined
      ? [finding({ code: 'DR_STATE_UNWRITABLE', path: root, errno: unwritable })]
      : []),
    ...unlistable.map((folder) => finding({ code: 'DR_FOLDER_UNREADABLE', ...folder })),
    ...(cut ? [finding({ code: 'DR_STATE_LARGE', path: root, entries: entries.length - 1 })] : []),
  ]
}

/** Owner, mode and kind of everything that Equabot makes in the state folder. */
export function filesCheck({ state }: Sight): readonly Finding[] {
  return state.entries.flatMap((entry) => entryFindings(entry, state))
}

function entryFindings(entry: SeenEntry, state: StateSight): readonly Finding[] {
  const { path, kind, mode, isOurs, links, leadsTo } = entry
  if (kind === 'link') {
    if (leadsTo !== undefined && isWithin(leadsTo, state.realRoot)) return []
    const settings = path === state.settingsPath
    return [
      finding({
        code: 'DR_FILE_LINK',
        path,
        settings,
        ...(leadsTo !== undefined && { leadsTo }),
      }),
    ]
  }
  if (!isOurs) return [finding({ code: 'DR_FILE_OWNER', path })]
  if (kind === 'other') return [finding({ code: 'DR_FILE_KIND', path })]
  // A socket is guarded by the folder that it is in.
  if (kind === 'socket') return []
  const secret = isSecret(entry, state)
  const linked = kind === 'file' && links > 1
  // Its mode belongs to its other names as well, which may be nobody's business here.
  if (linked && !secret) return []
  const needed = kind === 'folder' ? 0o500 : 0o400
  if ((mode & needed) !== needed)
    return [finding({ code: 'DR_FILE_CLOSED', path, kind, mode, linked })]
  return [
    ...((mode & 0o077) !== 0
      ? [finding({ code: 'DR_FILE_OPEN', path, kind, mode, secret, linked })]
      : []),
    ...(linked ? [finding({ code: 'DR_FILE_NAMES', path, names: links })] : []),
  ]
}

/** Whether a file holds secrets, or a folder leads to them. */
function isSecret({ path, kind }: SeenEntry, state: StateSight): boolean {
  if (path === state.root) return true
  if (kind === 'folder') return false
  const below = path.slice(state.root.length + 1)
  return (
    path === state.envPath ||
    below === 'gateway-token' ||
    below.startsWith('grants/') ||
    /(?:^|\/)auth-profiles\.json/.test(below) ||
    isOwnStray(below)
  )
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

/** What killed writers left. */
export function straysCheck({ state, now }: Sight): readonly Finding[] {
  return state.entries
    .filter(
      ({ path, kind, isOurs, modifiedAt }) =>
        kind === 'file' &&
        isOurs &&
        isOwnStray(path.slice(state.root.length + 1)) &&
        now - modifiedAt > HOUR_MS,
    )
    .map(({ path, modifiedAt }) => finding({ code: 'DR_FILE_STRAY', path, modifiedAt }))
}

export function spaceCheck({ state }: Sight): readonly Finding[] {
  const { root: path, freeBytes } = state
  if (freeBytes === undefined || freeBytes >= LOW_BYTES) return []
  const code = freeBytes < FULL_BYTES ? 'DR_DISK_FULL' : 'DR_DISK_LOW'
  return [finding({ code, path, freeBytes })]
}

export function fileSystemCheck({ state }: Sight): readonly Finding[] {
  const { root: path, fileSystem: kind } = state
  return kind ? [finding({ code: 'DR_DISK_KIND', path, kind })] : []
}

export function clockCheck({ state, now }: Sight): readonly Finding[] {
  // Against a clock that is behind, everything is in the future.
  if (now < MADE_AFTER) return [finding({ code: 'DR_CLOCK_BEHIND', now })]
  const ahead = state.entries.filter(({ modifiedAt }) => modifiedAt - now > CLOCK_SLACK_MS)
  const [first, ...rest] = ahead
  if (!first) return []
  const latest = rest.reduce((a, b) => (b.modifiedAt > a.modifiedAt ? b : a), first)
  const { path, modifiedAt } = latest
  return [finding({ code: 'DR_CLOCK_FUTURE', path, modifiedAt, files: ahead.length })]
}
