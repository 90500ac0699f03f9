/** A provider on loopback, in a process of its own: 1 KB of JSON, or a stream of 20 events. Prints its port. */
import { createServer } from 'node:http'

const message = {
  id: 'msg_bench',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-5',
  content: [{ type: 'text', text: 'x'.repeat(850) }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 12, output_tokens: 210 },
}
const json = JSON.stringify(message)
const event = (type, data) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
const delta = { type: 'text_delta', text: 'forty characters of text in each delta. ' }
const events = [
  event('message_start', { message: { ...message, content: [], stop_reason: null } }),
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  ...Array.from({ length: 15 }, () => event('content_block_delta', { index: 0, delta })),
  event('content_block_stop', { index: 0 }),
  event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 150 } }),
  event('message_stop', {}),
]

async function answer(request, response) {
  if (request.url === '/healthz') return void response.end('ok')
  let body = ''
  for await (const chunk of request) body += chunk
  if (!JSON.parse(body).stream) {
    response.writeHead(200, { 'content-type': 'application/json' })
    return void response.end(json)
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  // One turn of the event loop each, so that they leave as separate chunks, as a model's words do.
  for (const text of events) {
    response.write(text)
    await new Promise((resolve) => setImmediate(resolve))
  }
  response.end()
}

const server = createServer((request, response) => void answer(request, response))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.on('SIGTERM', () => process.exit(0))
