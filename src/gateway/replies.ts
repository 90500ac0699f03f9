/** The replies that are under way: each ends when its caller leaves, and all end when the gateway must. */

import type { ServerResponse } from 'node:http'
import type { Exchange } from './exchange.ts'

export interface Replies {
  readonly stopping: boolean
  /** Runs the work of one reply with its signals. */
  run<T>(
    response: ServerResponse,
    work: (signals: Pick<Exchange, 'signal' | 'draining' | 'ending'>) => Promise<T>,
  ): Promise<T>
  /** From now on `stopping`; tells those replies that have no end of their own. */
  refuseNew(): void
  /** Resolves when no reply is under way. */
  ended(): Promise<void>
  /** Aborts every reply; each still tells its caller why. */
  endAll(): void
}

export function createReplies(): Replies {
  const running = new Map<ServerResponse, AbortController>()
  const draining = new AbortController()
  const ending = new AbortController()
  const waiting = new Set<() => void>()

  function end(response: ServerResponse): void {
    if (!response.writableFinished) running.get(response)?.abort()
    running.delete(response)
    if (running.size > 0) return
    for (const resolve of waiting) resolve()
    waiting.clear()
  }

  return {
    get stopping() {
      return draining.signal.aborted
    },

    run(response, work) {
      const controller = new AbortController()
      running.set(response, controller)
      response.once('close', () => end(response))
      const { signal } = controller
      return work({ signal, draining: draining.signal, ending: ending.signal })
    },

    refuseNew() {
      draining.abort()
    },

    ended() {
      if (running.size === 0) return Promise.resolve()
      return new Promise((resolve) => waiting.add(resolve))
    },

    endAll() {
      ending.abort()
      for (const controller of running.values()) controller.abort()
    },
  }
}
