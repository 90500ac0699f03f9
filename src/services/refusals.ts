/** Keeps a record of requests that were refused before anybody was asked to serve them. */

import type { Fault } from '../domain/fault.ts'
import type { Ledger } from '../domain/ledger.ts'
import { requestId } from '../domain/ledger.ts'
import type { AgentId, SessionId } from '../domain/names.ts'
import { MAIN_AGENT } from '../domain/names.ts'
import type { Clock } from '../domain/ports.ts'
import type { EpochMs } from '../domain/time.ts'

export interface Refusal {
  /** When the request came. */
  readonly at: EpochMs
  /** Absent: nobody knows whose it was. */
  readonly agent?: AgentId
  readonly session?: SessionId
  readonly client?: string
  /** The model as its caller named it. */
  readonly asked: string
  readonly fault: Fault
}

export type RecordRefusal = (refusal: Refusal) => void

export function createRefusals({
  ledger,
  clock,
  newId,
  safe,
}: {
  readonly ledger: Pick<Ledger, 'append'>
  readonly clock: Pick<Clock, 'now'>
  /** Letters and digits, others each time. */
  readonly newId: () => string
  /** Text from a caller, made safe to keep. */
  readonly safe: (text: string) => string
}): RecordRefusal {
  return function recordRefusal({ at, agent = MAIN_AGENT, session, client, asked, fault }) {
    const now = clock.now()
    ledger.append({
      id: requestId(now, newId()),
      at,
      agent,
      ...(session && { session }),
      ...(client !== undefined && { client: safe(client) }),
      asked: safe(asked),
      outcome: 'failed',
      fault: fault.code,
      attempts: 0,
      totalMs: Math.max(0, now - at),
    })
  }
}
