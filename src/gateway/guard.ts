/**
 * Who may call: judged before a route is looked for, and before a byte of the body is read.
 *
 * A page in the user's browser can reach this port, so a Host that is not ours (DNS rebinding) and an Origin that
 * nobody allowed are refused even with the right token. The token is asked for on loopback too: other users of the
 * machine reach that as well.
 */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Caller } from '../domain/client.ts'
import { stillHolds } from '../domain/client.ts'
import type { Fault } from '../domain/fault.ts'
import { hostOf, isWildcard } from '../domain/gateway-address.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Secret } from '../domain/secret.ts'
import type { App } from '../services/app.ts'
import { countedAddress } from './callers-address.ts'
import { headerValues, mistakenSecret, sentKeys } from './sent-keys.ts'
import { createWrongKeys } from './wrong-keys.ts'

/** What is judged of a request. */
export type Asking = Pick<IncomingMessage, 'rawHeaders' | 'url'> & {
  readonly socket?: { readonly remoteAddress?: string | undefined }
}

export interface Guard {
  /** @faults `EQ_CALLER_HOST`, `EQ_CALLER_ORIGIN` */
  admits(asking: Asking): Result<void, Fault>
  /**
   * Who it is, by the key that was sent.
   *
   * @faults `EQ_CALLER_UNKNOWN`, `EQ_CALLER_SECRET`, `EQ_CALLER_TRIES`, `EQ_CLIENT_EXPIRED`, `EQ_CLIENTS_UNREADABLE`
   */
  knows(asking: Asking): Promise<Result<Caller, Fault>>
}

export interface GuardOptions {
  /** The port that is listened on. */
  readonly port: number
  readonly bind: string
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  /** The gateway's own, whose holder may do everything. */
  readonly token: Secret
  readonly app: Pick<App, 'clients' | 'clock' | 'log'>
}

export function createGuard(options: GuardOptions): Guard {
  const hosts = hostValues(options)
  const origins = new Set(options.allowedOrigins)
  const expected = digest(options.token.reveal())
  const { clients, clock, log } = options.app
  const wrongKeys = createWrongKeys(() => clock.now())

  return {
    admits(asking) {
      const named = [...headerValues(asking, 'host'), ...targetHosts(asking.url ?? '/')]
      const foreign = named.find((host) => !hosts.has(host))
      if (foreign !== undefined || headerValues(asking, 'host').length !== 1) {
        return fail({ code: 'EQ_CALLER_HOST', host: foreign ?? named.join(', ') })
      }
      const origin = headerValues(asking, 'origin').find((value) => !origins.has(value))
      return origin === undefined ? ok() : fail({ code: 'EQ_CALLER_ORIGIN', origin })
    },

    async knows(asking) {
      const keys = sentKeys(asking)
      const digests = keys.map(digest)
      if (digests.some((sent) => timingSafeEqual(sent, expected))) return ok({ kind: 'admin' })
      for (const sent of keys.filter(isOurs).map(digest)) {
        const holder = await clients.holder(sent.toString('hex'))
        if (!holder.ok) {
          log.write('error', 'clients.unreadable', { code: holder.fault.code })
          return fail({ code: 'EQ_CLIENTS_UNREADABLE' })
        }
        const client = holder.value
        if (!client || !timingSafeEqual(sent, Buffer.from(client.digest, 'hex'))) continue
        const holds = stillHolds(client, clock.now())
        return holds.ok ? ok({ kind: 'client', client }) : holds
      }
      return fail(stranger(keys, asking))
    },
  }

  /** Who sends no key at all has not guessed one. */
  function stranger(keys: readonly string[], { socket }: Asking): Fault {
    if (keys.length === 0) return { code: 'EQ_CALLER_UNKNOWN' }
    const waitMs = wrongKeys.count(countedAddress(socket?.remoteAddress))
    if (waitMs > 0) return { code: 'EQ_CALLER_TRIES', waitMs }
    const what = mistakenSecret(keys)
    return what ? { code: 'EQ_CALLER_SECRET', what } : { code: 'EQ_CALLER_UNKNOWN' }
  }
}

/** Keys of clients all begin so; for another one no file need be looked at. */
function isOurs(key: string): boolean {
  return key.startsWith('eqb-')
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

/**
 * Digests have one length, so comparing them takes one time and cannot throw. That a client is found by a digest gives
 * nothing away: nobody can choose what a key's digest begins with.
 */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
