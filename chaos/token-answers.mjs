/**
 * Answers of a login service as bytes, and how they are put on the wire: whole, late, drop by drop, cut.
 *
 * A fault is plain data, so that it can come over the control address as well:
 *
 * - `delayMs`: the answer comes late. `processFirst` (true unless told): the token is redeemed before the delay
 * - `processed: false`: the token is not looked at (a firewall, a limit, a server that fails early)
 * - `reset: true`: the connection is reset before any byte of an answer
 * - `cut: { at, how }`: the answer ends before its byte `at`, headers included; `how` is `fin`, `rst` or `stall`
 * - `drip: { bytes, everyMs }`: so many bytes at a time
 * - `status`, `headers`, `body`: another answer than the real one
 * - `omit: [names]`, `set: { name: value }`: members of the real answer left out, or with other values
 * - `framing`: `length` (unless told), `chunked`, or `close` (the end of the connection is the end of the answer)
 */
import { STATUS_CODES } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

const HTML = '<!doctype html><title>Attention required</title><p>Please enable cookies.</p>'
const oauthError = (error, description) => JSON.stringify({ error, error_description: description })

/** Faults by name. */
export const FAULTS = {
  delay: (delayMs) => ({ delayMs }),
  cut: (at, how) => ({ cut: { at, how } }),
  resetUnprocessed: () => ({ reset: true, processed: false }),
  resetProcessed: () => ({ reset: true }),
  unavailable: (status = 503) => ({
    status,
    processed: false,
    body: HTML,
    headers: { 'content-type': 'text/html' },
  }),
  failedAfterwards: (status = 502) => ({
    status,
    body: HTML,
    headers: { 'content-type': 'text/html' },
  }),
  tooMany: (retryAfter = 1) => ({
    status: 429,
    processed: false,
    headers: { 'retry-after': String(retryAfter) },
    body: oauthError('rate_limit_error', 'Too many requests'),
  }),
  firewall: () => ({
    status: 403,
    processed: false,
    body: HTML,
    headers: { 'content-type': 'text/html' },
  }),
  otherAccount: (id = 'account-of-somebody-else') => ({ set: { account: { uuid: id } } }),
  drip: (bytes = 8, everyMs = 5) => ({ drip: { bytes, everyMs } }),
  errorInSuccess: (error = 'server_error') => ({
    status: 200,
    processed: false,
    body: oauthError(error, 'Not now'),
  }),
  invalidClient: () => ({
    status: 401,
    processed: false,
    body: oauthError('invalid_client', 'Unknown client'),
  }),
  noLifetime: () => ({ omit: ['expires_in'] }),
  emptyRefresh: () => ({ set: { refresh_token: '' } }),
}

/** The answer to what became of a refresh token. */
export function answerTo(outcome, family, fault) {
  const given = { status: fault.status, headers: fault.headers, body: fault.body }
  if (given.status !== undefined) return { headers: {}, body: '', ...given }
  if (!outcome.issued) {
    const body = oauthError('invalid_grant', WHY_NOT[outcome.kind])
    return { status: 400, headers: {}, body }
  }
  const { access, refresh } = outcome.issued
  const members = {
    token_type: 'Bearer',
    access_token: access,
    expires_in: Math.round(family.lifetimeMs / 1000),
    ...(family.mode !== 'norotate' && { refresh_token: refresh }),
    account: { uuid: family.account },
    ...fault.set,
  }
  for (const name of fault.omit ?? []) delete members[name]
  return { status: 200, headers: {}, body: JSON.stringify(members) }
}

const WHY_NOT = {
  reused: 'Refresh token has been used already',
  revoked: 'Login has been revoked',
  unknown: 'Refresh token not found',
}

/** The whole answer as the bytes that a client sees. */
export function bytesOf({ status, headers, body }, framing = 'length') {
  const content = Buffer.from(body)
  const frame = {
    length: { 'content-length': content.length },
    chunked: { 'transfer-encoding': 'chunked' },
    close: {},
  }[framing]
  const lines = Object.entries({
    'content-type': 'application/json',
    ...headers,
    ...frame,
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Answer'}\r\n${lines.join('')}\r\n`
  return Buffer.concat([Buffer.from(head), framing === 'chunked' ? chunked(content) : content])
}

/**
 * Sends these bytes as the fault has it.
 *
 * @returns `full`: all of them went out and the caller was there until the end; `part`; `none`
 */
export async function put(socket, bytes, fault) {
  if (fault.reset) return reset(socket, 'none')
  const { at, how } = fault.cut ?? { at: bytes.length, how: 'fin' }
  const kept = bytes.subarray(0, Math.max(0, at))
  const wentOut = await write(socket, kept, fault.drip)
  const amount = kept.length === 0 ? 'none' : kept.length < bytes.length ? 'part' : 'full'
  if (!wentOut) return amount === 'none' ? 'none' : 'part'
  if (how === 'rst') {
    // A reset that comes together with bytes looks like an orderly end to libuv; one that comes later does not.
    await wait(RESET_AFTER_MS)
    return reset(socket, amount)
  }
  // A stalled connection ends when the caller gives it up, or with the server.
  if (how === 'stall') return amount
  // A caller that was gone by then answers the bytes with a reset.
  const closed = new Promise((resolve) => socket.once('close', (hadError) => resolve(!hadError)))
  socket.end()
  return (await closed) || amount !== 'full' ? amount : 'part'
}

const RESET_AFTER_MS = 3

async function write(socket, bytes, drip) {
  const step = drip?.bytes ?? Math.max(1, bytes.length)
  for (let from = 0; from < bytes.length; from += step) {
    if (socket.destroyed) return false
    const failed = await new Promise((resolve) =>
      socket.write(bytes.subarray(from, from + step), resolve),
    )
    if (failed) return false
    if (drip) await wait(drip.everyMs)
  }
  return !socket.destroyed
}

function reset(socket, amount) {
  socket.resetAndDestroy()
  return amount
}

function chunked(content) {
  const half = Math.ceil(content.length / 2)
  const parts = [content.subarray(0, half), content.subarray(half)].filter(
    ({ length }) => length > 0,
  )
  const framed = parts.map((part) =>
    Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]),
  )
  return Buffer.concat([...framed, Buffer.from('0\r\n\r\n')])
}
