/** What the words of a finding are made of and with. */

import { explain } from './explain.ts'
import type { Fault } from './fault.ts'
import type { EpochMs } from './time.ts'

/** What the words depend on besides the finding. */
export interface Telling {
  /** A path as a person writes it: `~/.equabot/.env`. */
  readonly show: (path: string) => string
  readonly now: EpochMs
}

export interface Told {
  readonly message: string
  /** The command to type, or the change to make; empty when there is nothing to do. */
  readonly fix: string
}

export const MENDS_IT = 'equabot doctor --fix'

/** A fault in its own words, its paths as a person writes them. */
export function tellFault(fault: Fault, { show, now }: Telling): Told {
  const { message, hint } = explain(withShownPaths(fault, show), now)
  return { message, fix: hint }
}

/** A path as a word of a shell, `~` left to the shell. */
export function shellPath(path: string): string {
  if (/^[\w@%+=:,./~-]+$/.test(path)) return path
  const home = path.startsWith('~/') ? '~/' : ''
  return `${home}'${path.slice(home.length).replaceAll("'", `'\\''`)}'`
}

function withShownPaths(fault: Fault, show: Telling['show']): Fault {
  return {
    ...fault,
    ...('path' in fault && { path: show(fault.path) }),
    ...('previous' in fault && fault.previous !== undefined && { previous: show(fault.previous) }),
    ...('place' in fault && { place: show(fault.place) }),
    ...('stateDir' in fault && { stateDir: show(fault.stateDir) }),
  }
}

/** Text of any kind with the paths in it as a person writes them. */
export function withPathsShown(text: string, show: Telling['show']): string {
  return text.replace(/(?<![\w.~-])\/[^\s'",;:()]+/g, (path) => show(path))
}
