/** The state folder, the disk and the clock in a user's words. */

import type { DiskFact } from './finding-fact.ts'
import type { FileSystemKind } from './inspection.ts'
import type { Telling, Told } from './telling.ts'
import { MENDS_IT, shellPath } from './telling.ts'
import { dateText, relative } from './time.ts'

export function tellDisk(fact: DiskFact, { show, now }: Telling): Told {
  const say = (message: string, fix: string): Told => ({ message, fix })
  const place = 'path' in fact ? show(fact.path) : ''
  const word = shellPath(place)
  switch (fact.code) {
    case 'DR_STATE_MISSING':
      return say(`${place} does not exist yet; the first login makes it`, '')
    case 'DR_STATE_UNWRITABLE':
      return say(
        fact.missing
          ? `${place} does not exist and cannot be made (${fact.errno}), so no login can be stored`
          : `Nothing can be written to ${place} (${fact.errno}), so no login can be stored or renewed`,
        fact.errno === 'EROFS'
          ? 'Mount that disk for writing, or set EQUABOT_STATE_DIR to a folder that can be written'
          : fact.missing
            ? `Look at owner and mode: ls -ld ${word.replace(/\/[^/]*$/, '') || '/'}, or set EQUABOT_STATE_DIR to a folder that can be written`
            : `Look at owner and mode: ls -ld ${word}`,
      )
    case 'DR_STATE_SHARED':
      return say(
        `The state folder ${place} is the home folder, or holds it: what is not Equabot's lies there too, so its files are not looked at and none is changed`,
        "Set EQUABOT_STATE_DIR to a folder of its own, and move what is Equabot's there",
      )
    case 'DR_STATE_LARGE':
      return say(
        `${place} holds more than ${fact.entries} files; only those were looked at`,
        'See what can go: equabot sessions list',
      )
    case 'DR_FOLDER_UNREADABLE':
      return say(
        `${place} cannot be looked into (${fact.errno})`,
        `Look at owner and mode: ls -ld ${word}`,
      )
    case 'DR_FILE_OPEN':
      return say(
        `Other users of this machine may use ${place} (mode ${octal(fact.mode)})${fact.secret ? ', which holds secrets' : ''}`,
        `chmod ${modeFor(fact)} ${word}`,
      )
    case 'DR_FILE_CLOSED':
      return say(
        `${place} is closed to its owner too (mode ${octal(fact.mode)})`,
        `chmod ${modeFor(fact)} ${word}`,
      )
    case 'DR_FILE_OWNER':
      return say(
        `${place} belongs to another user, so it cannot be changed safely`,
        `If it is yours: sudo chown "$USER" ${word}`,
      )
    case 'DR_FILE_KIND':
      return say(
        `${place} is neither a file nor a folder`,
        `Look at it: ls -l ${word}, and move it away`,
      )
    case 'DR_FILE_LINK':
      return fact.leadsTo === undefined
        ? say(`${place} is a link that leads nowhere`, `Look at it: ls -l ${word}`)
        : say(
            `${place} is a link to ${show(fact.leadsTo)}, outside the state folder`,
            fact.settings
              ? ''
              : `Put the file itself there; to move everything, set EQUABOT_STATE_DIR`,
          )
    case 'DR_FILE_NAMES':
      return say(
        `${place} has ${fact.names} names (hard links); a change would part them, so it is not written`,
        `Remove the other names; they are found with: find / -xdev -samefile ${word}`,
      )
    case 'DR_FILE_STRAY':
      return say(
        `${place} was left ${relative(fact.modifiedAt, now)} by a writer that was killed`,
        MENDS_IT,
      )
    case 'DR_DISK_FULL':
      return say(
        `The disk below ${place} is full (${sizeWords(fact.freeBytes)} free), so nothing can be stored and nothing is renewed`,
        `Make room; see: df -h ${word}`,
      )
    case 'DR_DISK_LOW':
      return say(
        `The disk below ${place} is nearly full (${sizeWords(fact.freeBytes)} free)`,
        `Make room; see: df -h ${word}`,
      )
    case 'DR_DISK_KIND':
      return say(`${place} lies on ${KINDS[fact.kind].words}`, KINDS[fact.kind].fix)
    case 'DR_CLOCK_BEHIND':
      return say(
        `The clock of this machine says ${dateText(fact.now)}, which is before this program was made`,
        'Set the clock, for instance: sudo timedatectl set-ntp true',
      )
    case 'DR_CLOCK_FUTURE':
      return say(
        `${fact.files === 1 ? 'A file is' : `${fact.files} files are`} dated in the future, such as ${place} (${dateText(fact.modifiedAt)}): the clock was ahead, or is behind now`,
        `Check the clock: date. If it is right: touch ${word}`,
      )
    default:
      return fact satisfies never
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, '0')
}

/** The owner keeps what they may do. */
function modeFor(fact: { readonly kind: 'file' | 'folder'; readonly mode: number }): string {
  return octal((fact.mode & 0o700) | (fact.kind === 'folder' ? 0o700 : 0o600))
}

function sizeWords(bytes: number): string {
  return bytes < 1024 * 1024
    ? `${Math.floor(bytes / 1024)} KiB`
    : `${Math.floor(bytes / (1024 * 1024))} MiB`
}

const SHARED = 'where locks between machines may not hold and a rename may not be whole'
const LOCAL_DISK = 'Set EQUABOT_STATE_DIR to a folder on a local disk of one machine'

const KINDS: Readonly<Record<FileSystemKind, { readonly words: string; readonly fix: string }>> = {
  nfs: { words: `a network disk (NFS), ${SHARED}`, fix: LOCAL_DISK },
  smb: { words: `a network disk (SMB), ${SHARED}`, fix: LOCAL_DISK },
  fuse: { words: `a disk that a program provides (FUSE), ${SHARED}`, fix: LOCAL_DISK },
  '9p': { words: `a disk of another machine (9p), ${SHARED}`, fix: LOCAL_DISK },
  overlay: {
    words: 'the own layer of a container (overlay) and is gone when the container is',
    fix: 'Keep it in a volume, and name that with EQUABOT_STATE_DIR',
  },
}
