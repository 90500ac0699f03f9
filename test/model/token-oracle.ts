/** A token server that knows everything: what was sent, what it answered, and whether a login still lives. */

import type { RawAnswer } from '../../src/domain/renewal-ports.ts'

/**
 * What a server does with a refresh token that comes again.
 *
 * `strict`: ends the whole login. `grace`: gives the same successor until that one is first used. `idempotent`: gives
 * the same answer as before. `norotate`: never gives another refresh token.
 */
export type ServerKind = 'strict' | 'grace' | 'idempotent' | 'norotate'

export interface TokenOracle {
  readonly sends: readonly { readonly token: string; readonly generation: number }[]
  /** Processes a request. */
  redeem(token: string): RawAnswer
  /** Whether this refresh token would get new access now. */
  isAlive(token: string): boolean
  generationOf(token: string): number
  /** Another login, unrelated to the first. */
  login(): { readonly refresh: string; readonly access: string }
}

interface Family {
  revoked: boolean
  /** The newest generation that was given out. */
  newest: number
  /** The newest generation that has been used. */
  used: number
}

export function tokenOracle(kind: ServerKind): TokenOracle {
  const sends: { token: string; generation: number }[] = []
  const families: Family[] = []
  let issued = 0

  const name = (family: number, generation: number): string => `refresh-${family}-${generation}`
  const parse = (token: string): readonly [number, number] => {
    const match = /^refresh-(\d+)-(\d+)$/.exec(token)
    return [Number(match?.[1] ?? -1), Number(match?.[2] ?? -1)]
  }
  const tokens = (family: number, generation: number): RawAnswer => {
    issued += 1
    return json(200, {
      token_type: 'Bearer',
      access_token: `access-${family}-${generation}-${issued}`,
      expires_in: 3600,
      ...(kind !== 'norotate' && { refresh_token: name(family, generation) }),
    })
  }

  function isAccepted(family: Family, generation: number): boolean {
    if (family.revoked) return false
    if (kind === 'norotate') return true
    if (generation === family.newest) return true
    const isPrevious = generation === family.newest - 1
    return (
      isPrevious && (kind === 'idempotent' || (kind === 'grace' && family.used < family.newest))
    )
  }

  return {
    sends,
    redeem(token) {
      const [id, generation] = parse(token)
      sends.push({ token, generation })
      const family = families[id]
      if (!family || !isAccepted(family, generation)) {
        if (family && kind === 'strict') family.revoked = true
        return json(400, { error: 'invalid_grant' })
      }
      if (kind === 'norotate') return tokens(id, 0)
      family.used = Math.max(family.used, generation)
      family.newest = Math.max(family.newest, generation + 1)
      return tokens(id, generation + 1)
    },
    isAlive(token) {
      const [id, generation] = parse(token)
      const family = families[id]
      return family !== undefined && isAccepted(family, generation)
    },
    generationOf: (token) => parse(token)[1],
    login() {
      families.push({ revoked: false, newest: 0, used: -1 })
      return { refresh: name(families.length - 1, 0), access: `access-${families.length - 1}-0` }
    },
  }
}

function json(status: number, body: unknown): RawAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
    complete: true,
  }
}
