/**
 * A login service and the provider behind it, on loopback, that fails on demand; and the oracle of what was sent.
 *
 * `POST /oauth/token` redeems refresh tokens, form-encoded or JSON. `POST /v1/messages` and its like answer only to an
 * access token that serves now. Every send is noted, in memory and as one line of JSON each. In a process of its own
 * (`node chaos/token-server.mjs --port N [--mode strict] [--log FILE]`) it takes orders at `/control/…`.
 */
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { answerTo, bytesOf, put } from './token-answers.mjs'
import { answerModel, bodyOf, reply } from './fake-model.mjs'
import { createFamilies } from './token-families.mjs'

/** See `token-server.d.mts` for what it gives. */
export async function startTokenServer({ port = 0, now = Date.now, ...options } = {}) {
  const families = createFamilies({ now })
  const desk = createDesk({ families, now, ...options })
  const uses = []
  const sockets = new Set()

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://127.0.0.1')
    const giveUp = () => request.socket.destroy()
    if (pathname === '/oauth/token') desk.take(request)
    else if (pathname === '/healthz') response.end('ok')
    else if (pathname.startsWith('/control/'))
      control({ ...desk, uses, families }, request, response).catch(giveUp)
    else answerModel({ families, uses, now }, request, response).catch(giveUp)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: '127.0.0.1', backlog: 1024 }, resolve)
  })
  const url = `http://127.0.0.1:${server.address().port}`
  return {
    ...desk,
    uses,
    families,
    url,
    port: server.address().port,
    tokenUrl: `${url}/oauth/token`,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Takes refresh tokens in, notes each, and answers as the next fault has it. */
function createDesk({ families, now, mode = 'strict', logFile, latencyMs = 0 }) {
  const sends = []
  const faults = []
  const arrivals = new Set()
  const underWay = new Set()

  async function serve(request) {
    const fields = await fieldsOf(request)
    const fault = faults.shift() ?? {}
    const refresh = fields.refresh_token ?? ''
    const family = families.familyOf(refresh)
    const send = {
      seq: sends.length + 1,
      at: now(),
      family: family?.id,
      generation: families.generationOf(refresh),
      client: fields.client_id,
      fault: Object.keys(fault),
      answered: 'none',
    }
    sends.push(send)
    for (const tell of arrivals) tell(send)

    if (latencyMs > 0) await wait(latencyMs)
    const redeem = () =>
      fault.processed === false ? { kind: 'not_looked_at' } : families.redeem(refresh)
    const early = fault.processFirst === false ? undefined : redeem()
    if (fault.delayMs) await wait(fault.delayMs)
    const outcome = early ?? redeem()
    const answer = answerTo(outcome, family ?? {}, fault)
    const bytes = bytesOf(answer, fault.framing)
    Object.assign(send, {
      outcome: outcome.kind,
      issued: outcome.issued?.generation,
      status: answer.status,
      bytes: bytes.length,
    })
    send.answered = await put(request.socket, bytes, fault)
    send.alive = family?.alive
    if (logFile) appendFileSync(logFile, `${JSON.stringify(send)}\n`)
  }

  return {
    sends,
    take(request) {
      const served = serve(request)
        .catch(() => request.socket.destroy())
        .finally(() => underWay.delete(served))
      underWay.add(served)
    },
    login: (options) => families.login({ mode, ...options }),
    fault: (...next) => void faults.push(...next),
    clearFaults: () => void faults.splice(0),
    onSend(tell) {
      arrivals.add(tell)
      return () => arrivals.delete(tell)
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}

/** Orders for a server in another process: `login`, `fault`, `expire`, `revoke`; questions: `sends`, `families`, `uses`. */
async function control(api, request, response) {
  const name = request.url.slice('/control/'.length)
  const text = await bodyOf(request)
  const order = text === '' ? {} : JSON.parse(text)
  const actions = {
    sends: () => api.sends,
    uses: () => api.uses,
    families: () => api.families.list(),
    login: () => api.login(order),
    fault: () => api.fault(...[order].flat()),
    current: () => api.families.current(order.family),
    expire: () => api.families.expire(order.family),
    revoke: () => api.families.revoke(order.family),
  }
  if (!Object.hasOwn(actions, name)) return reply(response, 404, { error: `no ${name}` })
  try {
    reply(response, 200, actions[name]() ?? null)
  } catch (cause) {
    reply(response, 400, { error: String(cause) })
  }
}

async function fieldsOf(request) {
  const text = await bodyOf(request)
  const isJson = request.headers['content-type']?.startsWith('application/json')
  return isJson ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text))
}

// By name, since experiments bundle this file into programs of their own.
if (basename(process.argv[1] ?? '') === 'token-server.mjs') {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      mode: { type: 'string', default: 'strict' },
      log: { type: 'string' },
    },
  })
  const server = await startTokenServer({
    port: Number(values.port),
    mode: values.mode,
    logFile: values.log,
  })
  console.log(server.port)
}
