/** What `equabot doctor` reports, as data; the faces lay it out. */

import type { Fault } from './fault.ts'
import type { Finding } from './finding.ts'
import type { ProfileId } from './names.ts'
import type { EpochMs } from './time.ts'

export interface DoctorReport {
  readonly now: EpochMs
  /** Nothing is wrong: no error, no warning. */
  readonly ok: boolean
  /** The gravest first. */
  readonly findings: readonly Finding[]
  /** What taking over the logins of other programs has changed. */
  readonly adopted: readonly { readonly profile: ProfileId; readonly outcome: string }[]
  readonly looked: {
    readonly files: number
    readonly agents: number
    readonly profiles: number
    readonly checks: readonly string[]
    /** Checks that need what could not be read. */
    readonly skipped: readonly string[]
  }
}

/** What became of a finding that was to be put right. */
export interface Mended {
  readonly finding: Finding
  /** Copies that were made of what was changed. */
  readonly backups: readonly string[]
  /** Absent: it was done. */
  readonly fault?: Fault
  /** A book's last good copy was put back: what is known to be missing in it. */
  readonly lost?: readonly ProfileId[]
  /** It was no longer as it was found, so it was left alone. */
  readonly left?: true
  /** With `left`: a process renews it just now. */
  readonly renewing?: true
}
