/** A provider's models, for whoever has an access token that serves. Answers always the same, whole or as a stream. */

export async function answerModel({ families, uses, now }, request, response) {
  const text = await bodyOf(request)
  const header = request.headers.authorization ?? ''
  const access = header.startsWith('Bearer ') ? header.slice(7) : request.headers['x-api-key']
  const accepted = families.accepts(access)
  uses.push({ at: now(), accepted, generation: /^chaos-access-\w+-(\d+)-/.exec(access)?.[1] })
  if (!accepted) return reply(response, 401, REFUSED)
  const wantsStream = text !== '' && JSON.parse(text).stream === true
  if (!wantsStream) return reply(response, 200, MESSAGE)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(STREAM)
}

export function reply(response, status, content) {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(content))
}

export async function bodyOf(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

const REFUSED = {
  type: 'error',
  error: { type: 'authentication_error', message: 'invalid access token' },
  request_id: 'req_chaos',
}
const MESSAGE = {
  id: 'msg_chaos',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'here I am' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 3 },
}
const STREAM = [
  { type: 'message_start', message: { ...MESSAGE, content: [], stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'here I am' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } },
  { type: 'message_stop' },
]
  .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  .join('')
