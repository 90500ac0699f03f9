/** Cuts callers who leave their reply unread: each holds what waits for it, here and at the provider. */

import type { ServerResponse } from 'node:http'
import type { Clock } from '../domain/ports.ts'
import type { EpochMs } from '../domain/time.ts'
import type { Limits } from './limits.ts'
import type { Replies } from './replies.ts'

/**
 * Looks at all replies now and then, until the signal.
 *
 * A reply has moved on when more of it has gone to the system than at the last look. One that has nothing to send does
 * not wait for its reader but for its provider.
 */
export async function cutSlowReaders(
  { running }: Pick<Replies, 'running'>,
  clock: Clock,
  { unreadMs, lookMs }: Pick<Limits, 'unreadMs' | 'lookMs'>,
  stopped: AbortSignal,
): Promise<void> {
  let seen = new Map<ServerResponse, Seen>()
  while (!stopped.aborted) {
    await clock.sleep(lookMs, stopped)
    const next = new Map<ServerResponse, Seen>()
    for (const response of running()) {
      const { socket } = response
      if (!socket || socket.writableLength === 0) continue
      const gone = socket.bytesWritten - socket.writableLength
      const before = seen.get(response)
      const since = before?.gone === gone ? before.since : clock.now()
      if (clock.now() - since >= unreadMs) response.destroy()
      else next.set(response, { gone, since })
    }
    seen = next
  }
}

interface Seen {
  /** Bytes that have left this program. */
  readonly gone: number
  /** Since when none has. */
  readonly since: EpochMs
}
