/** The gateway's token, its claim to be the only one of a state folder, and the note by which others find it. */

import { randomBytes } from 'node:crypto'

import type { Fault, StoreFault } from '../domain/fault.ts'
import type { Clock, GatewayFiles, GatewayRecord } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { SECOND_MS } from '../domain/time.ts'
import { Secret } from '../domain/secret.ts'
import { parseGatewayRecord, renderGatewayRecord } from '../wire/gateway-record.ts'
import type { Files } from './files.ts'
import type { Home } from './home.ts'
import type { Locks } from './lock.ts'

const CLAIM = 'gateway'
const TOKEN_BYTES = 32
/** Those who only look hold the lock for an instant; a gateway holds it for longer than this. */
const CLAIM_WAIT_MS = 250
/** How long a starting gateway may take to say where it listens. */
const PUBLISH_WAIT_MS: number = 2 * SECOND_MS
const POLL_MS = 50

export function createGatewayFiles(deps: {
  readonly home: Home
  readonly locks: Locks
  readonly files: Files
  readonly clock: Clock
}): GatewayFiles {
  const { home, locks, files, clock } = deps
  const ownToken = createTokenFile(files, locks, home.gatewayTokenPath)
  const recordPath = home.gatewayRecordPath

  async function publishedRecord(): Promise<GatewayRecord | undefined> {
    const read = await files.read(recordPath)
    return read.ok && read.value ? parseGatewayRecord(read.value.text) : undefined
  }

  /** The note of the gateway that holds the claim; it may be about to write it. */
  async function holder(): Promise<GatewayRecord | undefined> {
    for (let waitedMs = 0; ; waitedMs += POLL_MS) {
      const record = await publishedRecord()
      if (record || waitedMs >= PUBLISH_WAIT_MS) return record
      await clock.sleep(POLL_MS)
    }
  }

  return {
    tokenSource: () =>
      home.gatewayTokenOverride
        ? { kind: 'variable', name: 'EQUABOT_GATEWAY_TOKEN' }
        : { kind: 'file', path: home.gatewayTokenPath },

    token: async () =>
      home.gatewayTokenOverride ? givenToken(home.gatewayTokenOverride) : ownToken(),

    async claim() {
      const lock = await locks.tryHold(CLAIM, CLAIM_WAIT_MS)
      if (!lock.ok) return lock
      if (!lock.value) {
        const record = await holder()
        return fail({ code: 'EQ_GATEWAY_RUNNING', pid: record?.pid ?? 0, port: record?.port ?? 0 })
      }
      const { release } = lock.value
      // The note of a gateway that was killed is not ours.
      const removed = await files.remove(recordPath)
      if (!removed.ok) {
        release()
        return removed
      }
      return ok({
        publish: (record) => files.write(recordPath, renderGatewayRecord(record)),
        async release() {
          await files.remove(recordPath)
          release()
        },
      })
    },

    async running() {
      // Where no gateway ever was, no lock need be looked at: commands that only ask stay fast.
      const record = await publishedRecord()
      return record && (await locks.isHeld(CLAIM)) ? publishedRecord() : undefined
    },
  }
}

/** The token in this file, which is made when it is first asked for. */
function createTokenFile(
  files: Files,
  locks: Locks,
  path: string,
): () => Promise<Result<Secret, StoreFault>> {
  async function stored(): Promise<Result<Secret | undefined, StoreFault>> {
    const read = await files.read(path)
    if (!read.ok) return read
    if (!read.value) return ok(undefined)
    const token = read.value.text.trim()
    if (token !== '') return ok(new Secret(token))
    return fail({ code: 'EQ_STORE_FIELD', path, field: 'the token', expected: 'a line of text' })
  }

  async function storedOrNew(): Promise<Result<Secret, StoreFault>> {
    const present = await stored()
    if (!present.ok) return present
    if (present.value) return ok(present.value)
    const text = `eqb_${randomBytes(TOKEN_BYTES).toString('base64url')}`
    const saved = await files.write(path, `${text}\n`)
    return saved.ok ? ok(new Secret(text)) : saved
  }

  return async () => {
    const present = await stored()
    if (!present.ok) return present
    // Of two first starts the second finds the token of the first.
    return present.value ? ok(present.value) : locks.withLock('gateway-token', storedOrNew)
  }
}

/** A token that no header can hold would lock everybody out. */
function givenToken(token: Secret): Result<Secret, Fault> {
  if (/^[\x21-\x7e]+$/.test(token.reveal())) return ok(token)
  const detail = 'EQUABOT_GATEWAY_TOKEN must be letters, digits and signs without blanks'
  return fail({ code: 'EQ_USAGE', detail })
}
