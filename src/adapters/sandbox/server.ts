/** The sandbox's HTTP server on loopback: what is answered at which path. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { Clock } from '../../domain/ports.ts'
import type { Result } from '../../domain/result.ts'
import { ANTHROPIC } from './anthropic.ts'
import { createLoginDesk } from './authorize.ts'
import { readBody } from './body.ts'
import type { Exchange, Pace } from './exchange.ts'
import { answerChat, answerCount, invalidRequest, refuse } from './exchange.ts'
import { createGrantDesk } from './grants.ts'
import { modelList } from './models.ts'
import { OPENAI } from './openai.ts'
import { answerRevocation, answerTokenRequest } from './token-endpoint.ts'

export interface SandboxServer {
  readonly origin: string
  /** Stops listening and ends every connection at once. */
  close(): Promise<void>
}

export async function startSandboxServer(deps: {
  readonly clock: Clock
  readonly pace: Pace
}): Promise<SandboxServer> {
  const answer = createAnswer(deps.clock, deps.pace)
  const server = createServer((request, response) => {
    // A caller who leaves in mid-request is nobody's failure.
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  // It serves this program alone, so it never holds it open.
  server.unref()
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function createAnswer(
  clock: Clock,
  pace: Pace,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const desks = { grants: createGrantDesk(), logins: createLoginDesk() }
  let requests = 0

  return async (request, response) => {
    requests += 1
    const number = requests
    const route = routeOf(request)
    if (route === 'GET /models') return sendJson(response, 200, modelList())
    if (route === 'GET /oauth/authorize') {
      return sendBack(response, desks.logins.authorize(parametersOf(request), clock.now()))
    }
    const dialect = route === 'POST /chat/completions' ? OPENAI : ANTHROPIC
    const body = await readBody(request)
    const value = body.ok ? body.value : undefined
    const exchange: Exchange = { dialect, request, response, body: value, clock, pace, number }
    if (!body.ok) return refuse(exchange, unreadable(body.fault))
    switch (route) {
      case 'POST /messages':
      case 'POST /chat/completions':
        return answerChat(exchange)
      case 'POST /messages/count_tokens':
        return answerCount(exchange)
      case 'POST /oauth/token': {
        const token = answerTokenRequest(desks, value, clock.now())
        return sendJson(response, token.status, token.body)
      }
      case 'POST /oauth/revoke': {
        const revoked = answerRevocation(desks, value)
        return sendJson(response, revoked.status, revoked.body)
      }
      default:
        return refuse(exchange, invalidRequest(`The sandbox does not know ${route}`, 404))
    }
  }
}

function unreadable(fault: 'too_large' | 'not_json'): ReturnType<typeof invalidRequest> {
  return fault === 'too_large'
    ? invalidRequest('The request body is larger than 32 MiB', 413)
    : invalidRequest('The request body is not JSON')
}

/** Method and path; `/v1` may be left out, as base URLs of the two dialects differ in it. */
function routeOf(request: IncomingMessage): string {
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  return `${request.method} ${path.replace(/^\/v1(?=\/)/, '')}`
}

function parametersOf(request: IncomingMessage): URLSearchParams {
  const target = request.url ?? ''
  return new URLSearchParams(target.includes('?') ? target.slice(target.indexOf('?') + 1) : '')
}

/** The browser goes back to whoever sent it, or is told why not. */
function sendBack(response: ServerResponse, target: Result<string, string>): void {
  if (!target.ok) {
    return sendJson(response, 400, { error: 'invalid_request', error_description: target.fault })
  }
  response.writeHead(302, { location: target.value, 'cache-control': 'no-store' }).end()
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
