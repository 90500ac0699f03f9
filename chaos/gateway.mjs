/** The built gateway on a home, and one question to it. */
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { MODEL } from './acme.mjs'
import { start } from './stand.mjs'

const PATIENCE_MS = 20_000

/** Resolves when it listens. */
export async function startGateway(home, options) {
  const program = start(home.program, ['gateway', 'run', '--port', '0'], {
    env: home.env,
    ...options,
  })
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const record = recordOf(home)
    if (record?.pid === program.pid) {
      const token = readFileSync(join(home.stateDir, 'gateway-token'), 'utf8').trim()
      return { ...program, port: record.port, token }
    }
    if (program.child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`the gateway did not start: ${program.errors()}`)
    }
    await wait(5)
  }
}

function recordOf(home) {
  try {
    return JSON.parse(readFileSync(join(home.stateDir, 'gateway.json'), 'utf8'))
  } catch {
    return undefined
  }
}

/** One request through a gateway: `served`, or what came instead. */
export function ask({ port, token }) {
  const body = JSON.stringify({
    model: MODEL,
    max_tokens: 9,
    messages: [{ role: 'user', content: 'hi' }],
  })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return new Promise((resolve) => {
    request({ port, path: '/v1/messages', method: 'POST', headers, agent: false }, (answer) => {
      let text = ''
      answer.on('data', (chunk) => (text += chunk))
      answer.on('end', () =>
        resolve(answer.statusCode === 200 ? 'served' : `${answer.statusCode}: ${text}`),
      )
      answer.on('error', (cause) => resolve(String(cause)))
    })
      .on('error', (cause) => resolve(String(cause)))
      .end(body)
  })
}
