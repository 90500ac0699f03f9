/** The stores over a real folder, with a clock that is moved by hand. */

import { createFiles } from '../../src/adapters/files.ts'
import type { Files } from '../../src/adapters/files.ts'
import { openHome } from '../../src/adapters/home.ts'
import type { Home } from '../../src/adapters/home.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import type { Locks } from '../../src/adapters/lock.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { createHandClock } from './hand-clock.ts'
import type { HandClock } from './hand-clock.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface Fixture {
  readonly home: Home
  readonly locks: Locks
  readonly files: Files
  readonly clock: HandClock
}

export function createFixture(
  options: { readonly stateDir?: string; readonly files?: Files } = {},
): Fixture {
  const home = orThrow(openHome({ EQUABOT_STATE_DIR: options.stateDir ?? temporaryFolder() }))
  const clock = createHandClock()
  const locks = createLocks({ clock, dir: home.locksDir })
  return { home, locks, files: options.files ?? createFiles(), clock }
}
