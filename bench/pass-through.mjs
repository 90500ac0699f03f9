/** The least that a proxy can do, to be measured against: body in, one header changed, bytes out. Prints its port. */
import { createServer } from 'node:http'
import { Pool } from 'undici'

const pool = new Pool(process.argv[2], { connections: 64 })

async function answer(request, response) {
  if (request.url === '/healthz') return void response.end('ok')
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const upstream = await pool.request({
    method: request.method,
    path: request.url,
    headers: { 'content-type': 'application/json', 'x-api-key': 'fake-bench-key' },
    body: Buffer.concat(chunks),
  })
  response.writeHead(upstream.statusCode, { 'content-type': upstream.headers['content-type'] })
  upstream.body.pipe(response)
}

const server = createServer((request, response) => void answer(request, response))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.on('SIGTERM', () => process.exit(0))
