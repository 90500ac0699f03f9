/**
 * The provider inside the program: a real HTTP server on loopback that speaks both dialects and has no model behind it.
 *
 * It is what answers when there is no credential, the fire drill for those who have one, and the tests' upstream. The
 * server is loaded by the first request to it, so that commands that send none do not pay for it.
 */

import type { Clock } from '../domain/ports.ts'
import type { SandboxServer } from './sandbox/server.ts'

export interface SandboxDeps {
  readonly clock: Clock
  /** Between two words of a stream, ms; 12 unless told. */
  readonly wordDelayMs?: number
  /** Before the first word of a slow reply, ms; 3,000 unless told. */
  readonly slowFirstWordMs?: number
}

export interface Sandbox {
  /** Its address, such as `http://127.0.0.1:40123`. The first call makes it listen. Rejects when it cannot. */
  origin(): Promise<string>
  /** Stops listening and ends every connection at once. */
  close(): Promise<void>
}

export function createSandbox(deps: SandboxDeps): Sandbox {
  const pace = {
    wordDelayMs: deps.wordDelayMs ?? 12,
    slowFirstWordMs: deps.slowFirstWordMs ?? 3_000,
  }
  let running: Promise<SandboxServer> | undefined

  async function start(): Promise<SandboxServer> {
    const { startSandboxServer } = await import('./sandbox/server.ts')
    return startSandboxServer({ clock: deps.clock, pace })
  }

  return {
    async origin() {
      running ??= start().catch((cause: unknown) => {
        running = undefined
        throw cause
      })
      return (await running).origin
    },

    async close() {
      const server = await running?.catch(() => undefined)
      running = undefined
      await server?.close()
    },
  }
}
