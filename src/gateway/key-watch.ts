/** Replies to clients whose key has been revoked, replaced or has ended are ended too, and say why. */

import type { ServerResponse } from 'node:http'
import type { Client } from '../domain/client.ts'
import type { App } from '../services/app.ts'
import type { Replies } from './replies.ts'

export interface KeyWatch {
  /** Watches over the reply until it is over. */
  over(response: ServerResponse, client: Client): void
}

/** How soon a reply ends after its key, ms. Nobody is asked while no client is being served. */
const PERIOD_MS = 500
const LAST_WORD_MS = 1_000

/** @param stopped aborts when the gateway stops */
export function createKeyWatch(
  { clients, clock }: Pick<App, 'clients' | 'clock'>,
  replies: Pick<Replies, 'end'>,
  stopped: AbortSignal,
): KeyWatch {
  const watched = new Map<ServerResponse, Client>()
  let isLooking = false

  async function look(): Promise<void> {
    isLooking = true
    while (watched.size > 0 && !stopped.aborted) {
      await clock.sleep(PERIOD_MS, stopped)
      for (const [response, client] of watched) {
        const goesOn = await clients.goesOn(client)
        if (goesOn.ok) continue
        watched.delete(response)
        replies.end(response, goesOn.fault)
        void lastWord(response)
      }
    }
    isLooking = false
  }

  /** A caller that does not read what it is told at last is not waited for. */
  async function lastWord(response: ServerResponse): Promise<void> {
    await clock.sleep(LAST_WORD_MS, stopped)
    if (!response.writableFinished) response.destroy()
  }

  return {
    over(response, client) {
      watched.set(response, client)
      response.once('close', () => watched.delete(response))
      if (!isLooking) void look()
    },
  }
}
