import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { TokenFault, TokenMode, TokenServer } from '../../chaos/token-server.mjs'
import { startTokenServer } from '../../chaos/token-server.mjs'
import { temporaryFolder } from '../adapters/temporary-folder.ts'

async function server(options: Parameters<typeof startTokenServer>[0] = {}): Promise<TokenServer> {
  const started = await startTokenServer(options)
  onTestFinished(() => started.close())
  return started
}

interface Answer {
  readonly status: number
  readonly access_token?: string
  readonly refresh_token?: string
  readonly error?: string
}

async function redeem(at: TokenServer, refresh: string): Promise<Answer> {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refresh,
    client_id: 'c',
  })
  const answer = await fetch(at.tokenUrl, { method: 'POST', body })
  return { status: answer.status, ...(JSON.parse(await answer.text()) as object) }
}

async function use(at: TokenServer, access: string): Promise<number> {
  const headers = { authorization: `Bearer ${access}` }
  const answer = await fetch(`${at.url}/v1/messages`, { method: 'POST', headers, body: '{}' })
  await answer.text()
  return answer.status
}

/** All bytes of the answer, and how the connection ended. */
async function raw(at: TokenServer, refresh: string) {
  const socket = connect(at.port, '127.0.0.1')
  const chunks: Buffer[] = []
  let error = ''
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', (cause: Error & { code?: string }) => (error = cause.code ?? 'UNKNOWN'))
  const closed = new Promise((resolve) => socket.on('close', resolve))
  const body = `refresh_token=${refresh}`
  socket.write(
    `POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  return {
    socket,
    read: () => Buffer.concat(chunks),
    async ended() {
      await closed
      return { text: Buffer.concat(chunks).toString('latin1'), error }
    },
  }
}

describe('a refresh token that comes twice', () => {
  it.each([
    ['strict', 'reused', false],
    ['grace', 'replayed', true],
    ['idempotent', 'replayed', true],
    ['norotate', 'rotated', true],
  ] as const)('on a %s server is %s', async (mode, outcome, isAlive) => {
    const at = await server({ mode })
    const { family, refresh } = at.login()
    const first = await redeem(at, refresh)
    const second = await redeem(at, refresh)
    expect(first.status).toBe(200)
    expect(second.status).toBe(isAlive ? 200 : 400)
    await at.settled()
    expect(at.sends.map((send) => [send.generation, send.outcome, send.answered])).toEqual([
      [0, 'rotated', 'full'],
      [mode === 'norotate' ? 1 : 0, outcome, 'full'],
    ])
    expect(at.families.get(family).alive).toBe(isAlive)
    expect(await use(at, first.access_token ?? '')).toBe(
      mode === 'grace' || mode === 'idempotent' ? 200 : 401,
    )
    expect(second.access_token === first.access_token).toBe(outcome === 'replayed')
    expect(second.error).toBe(isAlive ? undefined : 'invalid_grant')
  })

  it('after its grace ends the login, and so does one that is older than the last', async () => {
    let now = 1_000_000
    const at = await server({ mode: 'grace', now: () => now })
    const late = at.login({ graceMs: 5000 })
    await redeem(at, late.refresh)
    now += 5001
    expect((await redeem(at, late.refresh)).error).toBe('invalid_grant')

    const old = at.login({ mode: 'idempotent' })
    const next = await redeem(at, old.refresh)
    await redeem(at, next.refresh_token ?? '')
    expect((await redeem(at, old.refresh)).error).toBe('invalid_grant')
    expect(at.families.list().map(({ alive }) => alive)).toEqual([false, false])
  })
})

describe('an access token', () => {
  it('serves until its end, and until there is a newer one', async () => {
    let now = 0
    const at = await server({ now: () => now })
    const { refresh, access, family } = at.login({ lifetimeMs: 1000 })
    expect(await use(at, access)).toBe(200)
    now = 1000
    expect(await use(at, access)).toBe(401)
    const next = await redeem(at, refresh)
    expect(await use(at, next.access_token ?? '')).toBe(200)
    at.families.revoke(family)
    expect(await use(at, next.access_token ?? '')).toBe(401)
    expect(await use(at, 'nothing that was issued')).toBe(401)
  })

  it('is not given again by a server that does not rotate, and the answer holds no refresh token', async () => {
    const at = await server({ mode: 'norotate' })
    const { refresh, access } = at.login()
    const next = await redeem(at, refresh)
    expect(next.access_token).not.toBe(access)
    expect(next.refresh_token).toBeUndefined()
  })
})

describe('a fault', () => {
  it.each<[string, TokenFault, string, string]>([
    [
      '503 before the token is looked at',
      { status: 503, processed: false, body: 'x' },
      '503',
      'not_looked_at',
    ],
    ['502 after it has served', { status: 502, body: 'x' }, '502', 'rotated'],
    ['a lifetime that is not told', { omit: ['expires_in'] }, '200', 'rotated'],
    ['another account', { set: { account: { uuid: 'b' } } }, '200', 'rotated'],
    ['drops', { drip: { bytes: 50, everyMs: 1 } }, '200', 'rotated'],
    ['chunks', { framing: 'chunked' }, '200', 'rotated'],
    ['an answer without a length', { framing: 'close' }, '200', 'rotated'],
  ])('%s meets one request and no other', async (_, fault, status, outcome) => {
    const at = await server({ mode: 'grace' })
    const { refresh } = at.login()
    at.fault(fault)
    const { ended } = await raw(at, refresh)
    expect((await ended()).text.slice(9, 12)).toBe(status)
    await at.settled()
    expect(at.sends[0]?.outcome).toBe(outcome)
    expect((await redeem(at, refresh)).status).toBe(200)
  })

  it('cuts the answer at any byte, in each way that a connection can end', async () => {
    const at = await server({ mode: 'idempotent' })
    const { refresh } = at.login()
    const whole = await (await raw(at, refresh)).ended()
    for (const at_ of [0, 1, 20, whole.text.length - 1, whole.text.length]) {
      at.fault({ cut: { at: at_, how: 'fin' } }, { cut: { at: at_, how: 'rst' } })
      const fin = await (await raw(at, refresh)).ended()
      expect(fin).toEqual({ text: whole.text.slice(0, at_), error: '' })
      expect((await (await raw(at, refresh)).ended()).error).toBe('ECONNRESET')
    }
    await at.settled()
    const amounts = at.sends.map((send) => send.answered)
    expect(amounts.join(' ')).toBe('full none none part part part part part part full full')
  })

  it('stalls until the caller has had enough', async () => {
    const at = await server({ mode: 'idempotent' })
    const { refresh } = at.login()
    at.fault({ cut: { at: 9, how: 'stall' } })
    const { socket, read } = await raw(at, refresh)
    await once(socket, 'data')
    await redeem(at, refresh)
    expect([read().toString(), socket.readyState]).toEqual(['HTTP/1.1 ', 'open'])
    socket.destroy()
  })

  it('of a caller that has gone is no answer in full', async () => {
    const at = await server()
    const { refresh } = at.login()
    at.fault({ delayMs: 30 })
    const arrived = new Promise((resolve) => at.onSend(resolve))
    const { socket } = await raw(at, refresh)
    await arrived
    socket.resetAndDestroy()
    await at.settled()
    expect(at.sends[0]?.outcome).toBe('rotated')
    expect(at.sends[0]?.answered).not.toBe('full')
  })
})

it('takes orders from other processes, and keeps a line for each send', async () => {
  const logFile = join(temporaryFolder(), 'sends')
  const at = await server({ logFile })
  const order = async (name: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${at.url}/control/${name}`, {
      method: 'POST',
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return answer.json()
  }
  const mode: TokenMode = 'norotate'
  const made = (await order('login', { mode })) as { family: string; refresh: string }
  await order('fault', [{ status: 429, processed: false, body: '{}' }])
  expect((await redeem(at, made.refresh)).status).toBe(429)
  expect((await redeem(at, made.refresh)).status).toBe(200)
  await order('revoke', { family: made.family })
  expect(await order('families')).toMatchObject([{ id: made.family, mode, alive: false }])
  await at.settled()
  expect(await order('sends')).toMatchObject([{ status: 429 }, { status: 200, answered: 'full' }])
  const lines = readFileSync(logFile, 'utf8').trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([1, 2])
})
