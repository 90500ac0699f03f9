/** The way of one request: past the guard, to its route, and to an answer or an explained fault. */

import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from '../domain/client.ts'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import type { Admit } from './admission.ts'
import { dialectOf, faultAnswer } from './dialect.ts'
import type { Exchange } from './exchange.ts'
import type { Guard } from './guard.ts'
import type { KeyWatch } from './key-watch.ts'
import type { Replies } from './replies.ts'
import type { Route } from './routes.ts'
import { findRoute } from './routes.ts'

/** What requests are answered with. */
export interface Gateway {
  readonly app: App
  readonly guard: Guard
  readonly admit: Admit
  readonly keyWatch: KeyWatch
  /** Told of every connection whose caller is known. */
  readonly trusts: (socket: IncomingMessage['socket']) => void
  readonly routes: readonly Route[]
  readonly replies: Replies
  readonly maxBodyBytes: number
  /** How long the body of a request may pause, ms. */
  readonly bodyIdleMs: number
}

/** Answers one request, whatever comes of it. */
export async function serve(
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { app, replies, maxBodyBytes, bodyIdleMs } = gateway
  const target = splitTarget(request.url ?? '/')
  const requestId = `eq_${randomBytes(12).toString('hex')}`
  response.setHeader('request-id', requestId)
  await replies.run(response, async (signals) => {
    const dialect = dialectOf(target.path, request.headers)
    const known = { request, response, dialect, requestId, maxBodyBytes, bodyIdleMs }
    const asked: Asked = { ...known, ...target, ...signals }
    const outcome = await answer(gateway, asked).catch((cause: unknown) =>
      crashed(app, asked, cause),
    )
    if (!outcome.ok) refuse(app, asked, outcome.fault)
  })
}

type Asked = Omit<Exchange, 'parameters' | 'caller'>

const ANYBODY: Caller = { kind: 'anybody' }

async function answer(gateway: Gateway, asked: Asked): Promise<Result<void, Fault>> {
  const { guard, routes, replies } = gateway
  const { request, response, path } = asked
  const admitted = guard.admits(request)
  if (!admitted.ok) return admitted
  if (request.headers.origin !== undefined) allowOrigin(response, request.headers.origin)
  if (request.method === 'OPTIONS' && request.headers.origin !== undefined) {
    response.writeHead(204).end()
    return ok()
  }
  const found = findRoute(routes, request.method ?? 'GET', path)
  if (found.ok && found.value.route.open)
    return found.value.route.handle({ ...asked, ...found.value, caller: ANYBODY })
  // A caller without the token does not even learn which routes there are.
  const known = await guard.knows(request)
  if (!known.ok) return known
  const caller = known.value
  gateway.trusts(request.socket)
  if (!found.ok) return found
  if (replies.stopping) return fail({ code: 'EQ_GATEWAY_STOPPING' })
  const allowed = await gateway.admit(caller, found.value.route)
  if (!allowed.ok) return allowed
  if (caller.kind === 'client') gateway.keyWatch.over(response, caller.client)
  return found.value.route.handle({ ...asked, ...found.value, caller })
}

/** Without these a browser keeps the answer from the page, though its origin is allowed. */
function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-allow-methods', 'GET, POST, DELETE')
  response.setHeader('access-control-allow-headers', '*, authorization')
  response.setHeader('vary', 'origin')
}

/** Tells the caller, unless the reply has begun, and leaves one line in the log. */
function refuse(app: App, asked: Asked, given: Fault): void {
  const { request, response, path, dialect, requestId, ending } = asked
  const fault: Fault =
    given.code === 'EQ_REQUEST_CANCELLED' && ending.aborted ? ending.fault : given
  // The first ones of an address stand in the log; a flood must not fill it.
  const isTold = fault.code !== 'EQ_CALLER_TRIES'
  const { status, headers, body } = faultAnswer(fault, dialect, requestId, app.clock.now())
  if (isTold) {
    app.log.write(fault.code === 'EQ_REQUEST_CANCELLED' ? 'info' : 'warn', 'request.failed', {
      requestId,
      method: request.method,
      path: path.slice(0, 200),
      code: fault.code,
      status,
    })
  }
  if (!response.headersSent) response.writeHead(status, headers).end(body)
}

/** A bug of ours. Where it happened is logged; its message may quote anything and is not. */
function crashed(app: App, { response, requestId }: Asked, cause: unknown): Result<never, Fault> {
  const error = cause instanceof Error ? cause : new Error('not an error')
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  app.log.write('error', 'request.crashed', { requestId, error: error.name, frames })
  if (response.headersSent) response.destroy()
  return fail({ code: 'EQ_INTERNAL', detail: error.name })
}

function splitTarget(target: string): { readonly path: string; readonly search: string } {
  if (!target.startsWith('/') && URL.canParse(target)) {
    const { pathname, search } = new URL(target)
    return { path: pathname, search }
  }
  const question = target.indexOf('?')
  return question < 0
    ? { path: target, search: '' }
    : { path: target.slice(0, question), search: target.slice(question) }
}
