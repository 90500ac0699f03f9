/** How much of a caller the gateway bears. What a well-behaved client needs lies far below. */

import { MINUTE_MS, SECOND_MS } from '../domain/time.ts'

export interface Limits {
  /** Of all headers of a request together. */
  readonly headerBytes: number
  /** How long they may take, ms. */
  readonly headersTimeoutMs: number
  /** How long a whole request may take to come, ms. */
  readonly requestTimeoutMs: number
  /** How long the body of a request may pause, ms. */
  readonly bodyIdleMs: number
  /** Connections of one address that is not of this machine. */
  readonly perAddress: number
  /** Connections of one address of this machine, where all programs share it. */
  readonly ofThisMachine: number
  /** Connections of one address over which nobody has yet shown a key. */
  readonly strangers: number
  /** How long a reply may lie unread, ms. */
  readonly unreadMs: number
  /** How often Node and we look for those who take too long, ms. */
  readonly lookMs: number
}

export const USUAL_LIMITS: Limits = {
  headerBytes: 32 * 1024,
  headersTimeoutMs: 10 * SECOND_MS,
  requestTimeoutMs: 10 * MINUTE_MS,
  bodyIdleMs: 60 * SECOND_MS,
  perAddress: 512,
  ofThisMachine: 4_096,
  strangers: 64,
  unreadMs: 60 * SECOND_MS,
  lookMs: 5 * SECOND_MS,
}
