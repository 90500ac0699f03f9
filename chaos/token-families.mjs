/**
 * What a login service knows of its logins: the oracle of the experiments. No network here.
 *
 * A family is one login and all that was ever issued for it. What happens when a refresh token comes a second time is
 * the family's mode:
 *
 * - `strict`: it serves once; a second use revokes the whole family, access tokens too
 * - `grace`: for `graceMs` after it served, it gives the same successor again; later it is as in `strict`
 * - `idempotent`: the token that served last gives the same successor whenever it comes; an older one is as in `strict`
 * - `norotate`: one refresh token serves for ever and no answer holds one
 */
import { randomBytes } from 'node:crypto'

/** @param {{ now: () => number }} deps */
export function createFamilies({ now }) {
  const families = new Map()
  const byRefresh = new Map()
  const byAccess = new Map()

  function issue(family) {
    const generation = family.generations.length
    const made = {
      generation,
      refresh:
        family.mode === 'norotate' && family.refresh
          ? family.refresh
          : token('refresh', family, generation),
      access: token('access', family, generation),
      expiresAt: now() + family.lifetimeMs,
    }
    family.generations.push(made)
    family.refresh = made.refresh
    byRefresh.set(made.refresh, { family, generation })
    byAccess.set(made.access, { family, generation })
    return made
  }

  /** Ends the login: nothing that was issued for it serves any more. */
  function revoke(family, reason) {
    family.alive = false
    family.revokedBecause ??= reason
  }

  function successorOf(family, generation) {
    const next = issue(family)
    family.generations[generation].servedAt = now()
    return { kind: 'rotated', generation, issued: next }
  }

  return {
    /** A login that somebody has just made: its first tokens. */
    login({
      mode = 'strict',
      lifetimeMs = 3_600_000,
      graceMs = 10_000,
      account = 'account-1',
    } = {}) {
      const id = `f${String(families.size + 1).padStart(6, '0')}`
      const family = { id, mode, lifetimeMs, graceMs, account, alive: true, generations: [] }
      families.set(id, family)
      return { family: id, ...issue(family) }
    },

    /**
     * Redeems a refresh token, as a login service does when a request has come in whole.
     *
     * @returns `kind`: `rotated`, `replayed` (the same successor once more), `reused` (and the family is revoked),
     * `revoked`, `unknown`; `issued` for the first two
     */
    redeem(refresh) {
      const known = byRefresh.get(refresh)
      if (!known) return { kind: 'unknown' }
      const { family } = known
      const current = family.generations.length - 1
      const generation = family.mode === 'norotate' ? current : known.generation
      const about = { family: family.id, generation }
      if (!family.alive) return { ...about, kind: 'revoked' }
      if (generation === current) return { ...about, ...successorOf(family, generation) }
      if (generation === current - 1 && isReplayable(family, generation, now())) {
        return { ...about, kind: 'replayed', issued: family.generations[current] }
      }
      revoke(family, 'reuse')
      return { ...about, kind: 'reused' }
    },

    /** Whether an access token serves now: the newest of a family that is alive, before its end. */
    accepts(access) {
      const known = byAccess.get(access)
      if (!known?.family.alive) return false
      const { family, generation } = known
      const isNewest = generation === family.generations.length - 1
      return isNewest && family.generations[generation].expiresAt > now()
    },

    generationOf: (refresh) => byRefresh.get(refresh)?.generation,
    familyOf: (refresh) => byRefresh.get(refresh)?.family,
    get: (id) => families.get(id),
    current: (id) => families.get(id).generations.at(-1),
    revoke: (id, reason = 'asked to') => revoke(families.get(id), reason),

    /** Ends the newest access token's time, as waiting for it would. */
    expire(id) {
      families.get(id).generations.at(-1).expiresAt = now()
    },

    /** Every family in short, tokens left out. */
    list: () => [...families.values()].map(summaryOf),
  }
}

function isReplayable(family, generation, now) {
  if (family.mode === 'idempotent') return true
  return family.mode === 'grace' && now - family.generations[generation].servedAt <= family.graceMs
}

function summaryOf({ id, mode, account, alive, revokedBecause, generations }) {
  return { id, mode, account, alive, revokedBecause, generations: generations.length }
}

/** Looks like what it is, so that nobody takes it for a real one. */
function token(kind, { id }, generation) {
  return `chaos-${kind}-${id}-${generation}-${randomBytes(12).toString('hex')}`
}
