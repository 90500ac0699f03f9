/** Counts the connections of each address, and lets go of those that are too many. */

import type { IncomingMessage } from 'node:http'
import { countedAddress, isLoopback } from './callers-address.ts'
import type { Limits } from './limits.ts'

type Socket = IncomingMessage['socket']

export interface Connections {
  /**
   * Takes in a new connection. Of those that have shown no key, the oldest makes room: whoever has one shows it at once,
   * and whoever holds connections open without one must not keep the others out.
   */
  take(socket: Socket): void
  /** Somebody with a key speaks over this one. */
  trust(socket: Socket): void
}

export function createConnections({
  perAddress,
  ofThisMachine,
  strangers: mostStrangers,
}: Pick<Limits, 'perAddress' | 'ofThisMachine' | 'strangers'>): Connections {
  const all = new Map<string, number>()
  const strangers = new Map<string, Set<Socket>>()

  function forget(socket: Socket, address: string): void {
    const unknown = strangers.get(address)
    unknown?.delete(socket)
    if (unknown?.size === 0) strangers.delete(address)
  }

  return {
    take(socket) {
      const address = countedAddress(socket.remoteAddress)
      const open = all.get(address) ?? 0
      if (open >= (isLoopback(address) ? ofThisMachine : perAddress)) {
        socket.destroy()
        return
      }
      all.set(address, open + 1)
      const unknown = strangers.get(address) ?? new Set()
      strangers.set(address, unknown.add(socket))
      socket.once('close', () => {
        forget(socket, address)
        const left = (all.get(address) ?? 1) - 1
        if (left === 0) all.delete(address)
        else all.set(address, left)
      })
      for (const oldest of unknown) {
        if (unknown.size <= mostStrangers) break
        unknown.delete(oldest)
        oldest.destroy()
      }
    },

    trust(socket) {
      forget(socket, countedAddress(socket.remoteAddress))
    },
  }
}
