/**
 * Waits on loopback for a browser that comes back from a provider.
 *
 * Its pages are fixed texts: nothing of a request is ever echoed. It judges nothing either; who started it does.
 */

import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { CallbackOutcome } from '../domain/wording-login.ts'
import { CALLBACK_PAGES } from '../domain/wording-login.ts'

/** Takes an answer, and says what became of it. */
export type CallbackJudge = (parameters: URLSearchParams) => Exclude<CallbackOutcome, 'unknown'>

export interface CallbackServer {
  /** Where the provider must send the browser. @source RFC 8252 7.3 */
  readonly redirectUri: string
  /** Stops listening and ends every connection at once. */
  close(): Promise<void>
}

export const CALLBACK_PATH = '/callback'

/** How often another port is tried when the one of IPv4 is somebody else's on IPv6. */
const PORT_TRIES = 8

/**
 * Listens on a random port of 127.0.0.1, and on the same one of ::1 where there is IPv6: an answer to `localhost` must
 * not reach another program. Rejects with Node's error when it cannot.
 */
export async function startCallbackServer(judge: CallbackJudge): Promise<CallbackServer> {
  for (let tries = 1; ; tries += 1) {
    const four = await listen('127.0.0.1', 0, judge)
    try {
      const six = await listen('::1', four.port, judge).catch((cause: unknown) => {
        if (hasNoIpv6(cause)) return undefined
        throw cause
      })
      return {
        redirectUri: `http://127.0.0.1:${four.port}${CALLBACK_PATH}`,
        close: async () => void (await Promise.all([four.close(), six?.close()])),
      }
    } catch (cause) {
      await four.close()
      if (tries === PORT_TRIES) throw cause
    }
  }
}

interface Listening {
  readonly port: number
  close(): Promise<void>
}

async function listen(address: string, port: number, judge: CallbackJudge): Promise<Listening> {
  const server = createServer({ maxHeaderSize: 16 * 1024 })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port, ipv6Only: true }, resolve)
  })
  const bound = portOf(server)
  const host = address.includes(':') ? `[${address}]` : address
  server.on('request', answerer(`${host}:${bound}`, judge))
  return {
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

/** A page that resolves its own name to this machine has another Host, and gets nothing. */
function answerer(host: string, judge: CallbackJudge): RequestListener {
  return (request, response) => {
    const asked = targetOf(request)
    if (request.headers.host !== host || asked?.pathname !== CALLBACK_PATH) {
      return sendPage(response, 404, 'unknown')
    }
    if (request.method !== 'GET') return sendPage(response, 405, 'unknown')
    const outcome = judge(asked.searchParams)
    sendPage(response, outcome === 'refused' ? 400 : 200, outcome)
  }
}

function targetOf(request: IncomingMessage): URL | undefined {
  const target = request.url ?? ''
  // A target of another form, such as a whole address, is a proxy's.
  const base = 'http://127.0.0.1'
  if (!target.startsWith('/') || target.startsWith('//')) return undefined
  return URL.canParse(target, base) ? new URL(target, base) : undefined
}

function sendPage(response: ServerResponse, status: number, outcome: CallbackOutcome): void {
  const { title, text } = CALLBACK_PAGES[outcome]
  response
    .writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      connection: 'close',
    })
    .end(
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1><p>${text}</p></html>\n`,
    )
}

function hasNoIpv6(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'
}
