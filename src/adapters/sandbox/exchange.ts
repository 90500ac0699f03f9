/** One chat request to the sandbox, from its key to the last byte of its answer. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../domain/ports.ts'
import { MINUTE_MS, SECOND_MS } from '../../domain/time.ts'
import type { Dialect, SandboxReply, SandboxRequest } from './dialect.ts'
import { accessExpiry, isAccessToken } from './grants.ts'
import type { Behaviour, Refusal } from './keys.ts'
import { OVERLOADED, behaviourOf, unauthorized } from './keys.ts'
import { SANDBOX_MODELS, isSandboxModel } from './models.ts'
import { pieces, sandboxReply } from './replies.ts'

export interface Pace {
  /** Between two words of a stream, ms. */
  readonly wordDelayMs: number
  /** Before the first word, where that is slow, ms. */
  readonly slowFirstWordMs: number
}

export interface Exchange {
  readonly dialect: Dialect
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: unknown
  readonly clock: Clock
  readonly pace: Pace
  /** Runs through the exchanges of one sandbox, so that its ids are the same in every run. */
  readonly number: number
}

/** Answers a chat request; resolves when there is nothing more to send. */
export async function answerChat(exchange: Exchange): Promise<void> {
  const behaviour = behaviourFor(exchange.request, exchange.clock.now())
  if (behaviour.kind === 'hang') return
  if (behaviour.kind === 'refuse') return refuse(exchange, behaviour.refusal)
  const parsed = exchange.dialect.parse(exchange.body)
  if (!parsed.ok) return refuse(exchange, invalidRequest(parsed.fault))
  const unknown = unknownModel(parsed.value)
  if (unknown) return refuse(exchange, unknown)
  const reply = replyTo(parsed.value, exchange)
  return parsed.value.stream
    ? sendStream(exchange, reply, behaviour)
    : sendWhole(exchange, reply, behaviour)
}

/** Answers how many tokens a request has. */
export function answerCount(exchange: Exchange): void {
  const behaviour = behaviourFor(exchange.request, exchange.clock.now())
  if (behaviour.kind === 'refuse') return refuse(exchange, behaviour.refusal)
  const parsed = exchange.dialect.parse(exchange.body)
  if (!parsed.ok) return refuse(exchange, invalidRequest(parsed.fault))
  sendJson(exchange, 200, { input_tokens: parsed.value.inputTokens })
}

/** Sends a refusal in the words and with the headers of the dialect. */
export function refuse(exchange: Exchange, refusal: Refusal): void {
  const { retryAfterSeconds } = refusal
  if (retryAfterSeconds !== undefined) {
    exchange.response.setHeader('retry-after', String(retryAfterSeconds))
  }
  sendJson(exchange, refusal.status, exchange.dialect.refusal(refusal, requestIdOf(exchange)))
}

export function invalidRequest(message: string, status = 400): Refusal {
  return {
    status,
    anthropicType: status === 413 ? 'request_too_large' : 'invalid_request_error',
    openaiCode: 'invalid_request',
    message,
  }
}

/** What the request's credential makes the sandbox do. None at all is as good as `sandbox-ok`. */
function behaviourFor(request: IncomingMessage, now: number): Behaviour {
  const bearer = /^bearer\s+(.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const apiKey = request.headers['x-api-key']
  const key = typeof apiKey === 'string' && apiKey !== '' ? apiKey : (bearer ?? '')
  if (key === '' || key === 'builtin') return { kind: 'serve' }
  if (isAccessToken(key)) {
    const expiresAt = accessExpiry(key)
    if (expiresAt === undefined) return unauthorized('This access token is not from the sandbox')
    if (expiresAt <= now) return unauthorized('OAuth token has expired (sandbox)')
    return { kind: 'serve' }
  }
  return (
    behaviourOf(key) ??
    unauthorized('The sandbox has no such key; `equabot sandbox keys` lists those it has')
  )
}

function unknownModel({ model }: SandboxRequest): Refusal | undefined {
  if (isSandboxModel(model)) return undefined
  return {
    status: 404,
    anthropicType: 'not_found_error',
    openaiCode: 'model_not_found',
    message: `model: ${model} (the sandbox has ${SANDBOX_MODELS.join(' and ')})`,
  }
}

function replyTo(request: SandboxRequest, { clock, dialect, number }: Exchange): SandboxReply {
  const all = pieces(sandboxReply(request.message))
  return {
    id: `${dialect.idPrefix}${number}`,
    request,
    pieces: all.slice(0, request.maxTokens),
    truncated: all.length > request.maxTokens,
    createdSeconds: Math.floor(clock.now() / SECOND_MS),
  }
}

async function sendWhole(
  exchange: Exchange,
  reply: SandboxReply,
  behaviour: Behaviour,
): Promise<void> {
  const text = JSON.stringify(exchange.dialect.whole(reply))
  if (behaviour.kind === 'error_event') return refuse(exchange, OVERLOADED)
  if (behaviour.kind === 'cut') {
    exchange.response.writeHead(200, servedHeaders(exchange, 'application/json'))
    await write(exchange.response, text.slice(0, text.length / 2))
    exchange.response.destroy()
    return
  }
  if (isSlow(reply, behaviour)) await pause(exchange, exchange.pace.slowFirstWordMs)
  exchange.response.writeHead(200, servedHeaders(exchange, 'application/json')).end(text)
}

async function sendStream(
  exchange: Exchange,
  reply: SandboxReply,
  behaviour: Behaviour,
): Promise<void> {
  const { response, dialect } = exchange
  response.writeHead(200, {
    ...servedHeaders(exchange, 'text/event-stream; charset=utf-8'),
    'cache-control': 'no-cache',
  })
  response.flushHeaders()
  let left = behaviour.kind === 'cut' || behaviour.kind === 'error_event' ? behaviour.after : -1
  for await (const frame of frames(exchange, reply, behaviour)) {
    if (left === 0) break
    left -= 1
    if (response.destroyed) return
    await write(response, frame)
  }
  if (behaviour.kind === 'cut') {
    response.destroy()
    return
  }
  if (behaviour.kind === 'error_event') {
    await write(response, dialect.errorFrame(OVERLOADED, requestIdOf(exchange)))
  }
  response.end()
}

async function* frames(
  exchange: Exchange,
  reply: SandboxReply,
  behaviour: Behaviour,
): AsyncGenerator<string, void> {
  const { dialect, pace } = exchange
  yield* dialect.opening(reply)
  if (isSlow(reply, behaviour)) await pause(exchange, pace.slowFirstWordMs)
  for (const [index, piece] of reply.pieces.entries()) {
    if (index > 0) await pause(exchange, pace.wordDelayMs)
    yield dialect.word(reply, piece)
  }
  yield* dialect.closing(reply)
}

function isSlow(reply: SandboxReply, behaviour: Behaviour): boolean {
  return (behaviour.kind === 'serve' && behaviour.slow) || reply.request.model === 'sandbox-slow'
}

/** Waits, but not for a caller who has gone. */
async function pause({ clock, response }: Exchange, ms: number): Promise<void> {
  if (ms === 0 || response.destroyed) return
  const gone = new AbortController()
  const leave = (): void => gone.abort()
  response.once('close', leave)
  await clock.sleep(ms, gone.signal)
  response.off('close', leave)
}

/** Resolves when the text has gone out, as fast as the caller reads, or when the caller has gone. */
async function write(response: ServerResponse, text: string): Promise<void> {
  if (response.destroyed) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('close', done)
      resolve()
    }
    response.once('close', done)
    response.write(text, done)
  })
}

function sendJson(exchange: Exchange, status: number, value: unknown): void {
  exchange.response
    .writeHead(status, headersOf(exchange, 'application/json'))
    .end(JSON.stringify(value))
}

function headersOf(exchange: Exchange, contentType: string): Readonly<Record<string, string>> {
  return {
    'content-type': contentType,
    [exchange.dialect.requestIdHeader]: requestIdOf(exchange),
  }
}

function servedHeaders(exchange: Exchange, contentType: string): Readonly<Record<string, string>> {
  const limits = exchange.dialect.limitHeaders(exchange.clock.now() + MINUTE_MS)
  return { ...headersOf(exchange, contentType), ...limits }
}

function requestIdOf({ number }: Exchange): string {
  return `req_sandbox_${number}`
}
