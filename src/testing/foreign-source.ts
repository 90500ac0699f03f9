/** The home of another program's login, in memory. */

import type { ForeignLogin, ForeignOrigin, ForeignReading } from '../domain/foreign.ts'
import type { ForeignSource } from '../domain/renewal-ports.ts'
import { ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'

export interface MemoryForeignSource extends ForeignSource {
  /** What the next looks find. */
  put(reading: ForeignReading): void
  /** Whether a person could have been asked, for each look so far. */
  readonly looks: readonly boolean[]
}

/** A source that holds no login until one is `put`. */
export function memoryForeignSource(
  origin: ForeignOrigin = 'claude-code',
  reading: ForeignReading = ok(undefined),
): MemoryForeignSource {
  const looks: boolean[] = []
  let current = reading
  return {
    origin,
    looks,
    place: () => placeOf(origin),
    async read(prompting = false) {
      looks.push(prompting)
      return current
    },
    put(next) {
      current = next
    },
  }
}

/** A made-up login of Claude Code that can be renewed, unless `overrides` say otherwise. */
export function aForeignLogin(overrides: Partial<ForeignLogin> = {}): ForeignLogin {
  const origin = overrides.origin ?? 'claude-code'
  return {
    origin,
    place: placeOf(origin),
    access: new Secret(`fake-access-of-${origin}`),
    type: 'oauth',
    ...overrides,
  }
}

function placeOf(origin: ForeignOrigin): string {
  return origin === 'claude-code'
    ? '/home/me/.claude/.credentials.json'
    : '/home/me/.codex/auth.json'
}
