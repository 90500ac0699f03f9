/** The replies that are under way: each ends when its caller leaves, and all end when the gateway must. */

import type { ServerResponse } from 'node:http'
import type { Fault } from '../domain/fault.ts'
import type { Ending, Exchange } from './exchange.ts'

export interface Replies {
  readonly stopping: boolean
  /** Runs the work of one reply with its signals. */
  run<T>(
    response: ServerResponse,
    work: (signals: Pick<Exchange, 'signal' | 'draining' | 'ending'>) => Promise<T>,
  ): Promise<T>
  /** Those that are under way. */
  running(): Iterable<ServerResponse>
  /** From now on `stopping`; tells those replies that have no end of their own. */
  refuseNew(): void
  /** Resolves when no reply is under way. */
  ended(): Promise<void>
  /** Aborts one reply, which still tells its caller this fault. */
  end(response: ServerResponse, fault: Fault): void
  /** Aborts every reply; each still tells its caller why. */
  endAll(): void
}

const STOPPING: Fault = { code: 'EQ_GATEWAY_STOPPING' }

export function createReplies(): Replies {
  const running = new Map<ServerResponse, { controller: AbortController; fault?: Fault }>()
  const draining = new AbortController()
  const waiting = new Set<() => void>()

  function closed(response: ServerResponse): void {
    if (!response.writableFinished) running.get(response)?.controller.abort()
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
      const reply: { controller: AbortController; fault?: Fault } = {
        controller: new AbortController(),
      }
      running.set(response, reply)
      response.once('close', () => closed(response))
      const ending: Ending = {
        get aborted() {
          return reply.fault !== undefined
        },
        get fault() {
          return reply.fault ?? STOPPING
        },
      }
      return work({ signal: reply.controller.signal, draining: draining.signal, ending })
    },

    running: () => running.keys(),

    refuseNew() {
      draining.abort()
    },

    ended() {
      if (running.size === 0) return Promise.resolve()
      return new Promise((resolve) => waiting.add(resolve))
    },

    end(response, fault) {
      const reply = running.get(response)
      if (!reply) return
      reply.fault ??= fault
      reply.controller.abort()
    },

    endAll() {
      for (const reply of running.values()) {
        reply.fault ??= STOPPING
        reply.controller.abort()
      }
    },
  }
}
