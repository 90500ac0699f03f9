/** How soon a gateway answers, and what it occupies when it has nothing to do. */
import { setTimeout as wait } from 'node:timers/promises'
import { alternate, atMost, median, print } from './measure.mjs'
import { createHome, residentMegabytes, startGateway, startServer, stop } from './stand.mjs'

const ROUNDS = 7

export async function benchGateway() {
  console.log(
    `\ngateway: start to first healthy answer, against a bare server (${ROUNDS} rounds in turn)`,
  )
  const timed = (begin) => async () => {
    const home = createHome()
    const startedAt = performance.now()
    const server = await begin(home)
    const ms = performance.now() - startedAt
    await stop(server)
    home.remove()
    return ms
  }
  const sides = {
    bare: timed(() => startServer('upstream.mjs')),
    gateway: timed((home) => startGateway(home)),
  }
  await alternate(1, sides)
  const { bare, gateway } = await alternate(ROUNDS, sides)
  const ms = median(gateway)
  print('start, median', `${ms.toFixed(0)} ms`, atMost(ms, 1000, 'ms'))
  print(
    'start, ratio to a bare server',
    `${(ms / median(bare)).toFixed(2)} x of ${median(bare).toFixed(0)} ms`,
  )

  const home = createHome()
  const servers = [await startGateway(home), await startServer('upstream.mjs')]
  await wait(3000)
  const [idle, bareIdle] = servers.map((server) => residentMegabytes(server.pid))
  print(
    'memory, idle for 3 s',
    `${idle.toFixed(0)} MB (bare: ${bareIdle.toFixed(0)} MB)`,
    atMost(idle, 120, 'MB'),
  )
  await Promise.all(servers.map(stop))
  home.remove()
}
