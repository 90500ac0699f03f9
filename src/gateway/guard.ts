/**
 * Who may call: judged before a route is looked for, and before a byte of the body is read.
 *
 * A page in the user's browser can reach this port, so a Host that is not ours (DNS rebinding) and an Origin that
 * nobody allowed are refused even with the right token. The token is asked for on loopback too: other users of the
 * machine reach that as well.
 */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Fault } from '../domain/fault.ts'
import { hostOf, isWildcard } from '../domain/gateway-address.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Secret } from '../domain/secret.ts'

/** What is judged of a request. */
export type Caller = Pick<IncomingMessage, 'rawHeaders' | 'url'>

export interface Guard {
  /** @faults `EQ_CALLER_HOST`, `EQ_CALLER_ORIGIN` */
  admits(caller: Caller): Result<void, Fault>
  /** @faults `EQ_CALLER_UNKNOWN` */
  knows(caller: Caller): Result<void, Fault>
}

export interface GuardOptions {
  /** The port that is listened on. */
  readonly port: number
  readonly bind: string
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly token: Secret
}

export function createGuard(options: GuardOptions): Guard {
  const hosts = hostValues(options)
  const origins = new Set(options.allowedOrigins)
  const expected = digest(options.token.reveal())

  return {
    admits(caller) {
      const named = [...headerValues(caller, 'host'), ...targetHosts(caller.url ?? '/')]
      const foreign = named.find((host) => !hosts.has(host))
      if (foreign !== undefined || headerValues(caller, 'host').length !== 1) {
        return fail({ code: 'EQ_CALLER_HOST', host: foreign ?? named.join(', ') })
      }
      const origin = headerValues(caller, 'origin').find((value) => !origins.has(value))
      return origin === undefined ? ok() : fail({ code: 'EQ_CALLER_ORIGIN', origin })
    },

    knows(caller) {
      const matches = sentTokens(caller).map((token) => timingSafeEqual(digest(token), expected))
      return matches.includes(true) ? ok() : fail({ code: 'EQ_CALLER_UNKNOWN' })
    },
  }
}

/** Every Host value that names this gateway, to be compared exactly. */
function hostValues({ bind, port, allowedHosts }: GuardOptions): ReadonlySet<string> {
  const names = ['127.0.0.1', '[::1]', 'localhost', ...allowedHosts]
  if (!isWildcard(bind)) names.push(hostOf(bind))
  return new Set(names.flatMap((name) => [name, `${name}:${port}`]))
}

/** The host in a request target of absolute form, which counts more than the header. */
function targetHosts(target: string): readonly string[] {
  if (target.startsWith('/') || target === '*') return []
  return [URL.canParse(target) ? new URL(target).host : target]
}

function sentTokens(caller: Caller): readonly string[] {
  const bearers = headerValues(caller, 'authorization').flatMap((value) => {
    const match = /^bearer +(\S+) *$/i.exec(value)
    return match?.[1] === undefined ? [] : [match[1]]
  })
  return [...bearers, ...headerValues(caller, 'x-api-key')]
}

/** As they were sent: Node's own view folds or drops repeated headers. */
function headerValues({ rawHeaders }: Caller, name: string): readonly string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
  )
}

/** Digests have one length, so comparing them takes one time and cannot throw. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
