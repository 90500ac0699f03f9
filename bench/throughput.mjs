/** `POST /v1/messages` through the gateway, against a bare pass-through proxy to the same upstream. */
import { Pool } from 'undici'
import { alternate, median, print } from './measure.mjs'
import { cpuSeconds, createHome, startGateway, startServer, stop, TOKEN } from './stand.mjs'

const WINDOWS = 5
const WINDOW_MS = 2000
const CONCURRENCY = 16

export async function benchThroughput() {
  const upstream = await startServer('upstream.mjs')
  const baseUrl = `http://127.0.0.1:${upstream.port}`
  const home = createHome({ 'equabot.json': { models: { providers: { anthropic: { baseUrl } } } } })
  const gateway = await startGateway(home, { ANTHROPIC_API_KEY: 'fake-bench-key-0000' })
  const bare = await startServer('pass-through.mjs', baseUrl)
  try {
    await compare('JSON of 1 KB', { stream: false, bare, gateway })
    await compare('streams of 20 events', { stream: true, bare, gateway })
  } finally {
    await Promise.all([bare, gateway, upstream].map(stop))
    home.remove()
  }
}

async function compare(title, { stream, bare, gateway }) {
  console.log(
    `\n/v1/messages, ${title}, ${CONCURRENCY} at a time, against a bare proxy (${WINDOWS} windows of ${WINDOW_MS / 1000} s in turn)`,
  )
  const sides = { bare: () => load(bare, stream), gateway: () => load(gateway, stream) }
  await alternate(1, sides)
  const results = await alternate(WINDOWS, sides)
  const of = (side, key) => median(results[side].map((window) => window[key]))
  const row = (label, key) =>
    print(
      label,
      `${(of('gateway', key) / of('bare', key)).toFixed(2)} x  (${of('gateway', key).toFixed(0)} of ${of('bare', key).toFixed(0)})`,
    )
  row('requests per second', 'perSecond')
  row('requests per CPU-second of the proxy', 'perCpuSecond')
}

async function load(server, stream) {
  const pool = new Pool(`http://127.0.0.1:${server.port}`, { connections: CONCURRENCY })
  const body = JSON.stringify({
    model: 'claude-sonnet-5',
    max_tokens: 256,
    stream,
    messages: [{ role: 'user', content: 'y'.repeat(900) }],
  })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }
  const startedAt = performance.now()
  const cpuAtStart = cpuSeconds(server.pid)
  let answers = 0
  const caller = async () => {
    while (performance.now() - startedAt < WINDOW_MS) {
      const answer = await pool.request({ method: 'POST', path: '/v1/messages', headers, body })
      const text = await answer.body.text()
      const isWhole = stream ? text.includes('message_stop') : text.endsWith('}')
      if (answer.statusCode !== 200 || !isWhole) {
        throw new Error(`port ${server.port} answered ${answer.statusCode}: ${text.slice(0, 500)}`)
      }
      answers += 1
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, caller))
  const seconds = (performance.now() - startedAt) / 1000
  const cpu = cpuSeconds(server.pid) - cpuAtStart
  await pool.close()
  return { perSecond: answers / seconds, perCpuSecond: answers / cpu }
}
