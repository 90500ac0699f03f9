import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TurnEvent } from '../../src/domain/chat.ts'
import type { ModelKey, ProfileId } from '../../src/domain/names.ts'
import { CONTROL_ROUTES } from '../../src/wire/control-api.ts'
import { openApiDocument } from '../../src/wire/open-api.ts'
import { sseEvents } from '../../src/wire/sse.ts'
import {
  parseTurnEvent,
  parseTurnRequest,
  renderTurnEvent,
  renderTurnRequest,
} from '../../src/wire/turn-events.ts'

async function travelled(event: TurnEvent): Promise<readonly (TurnEvent | undefined)[]> {
  async function* bytes(): AsyncGenerator<Uint8Array, void> {
    yield new TextEncoder().encode(renderTurnEvent(event))
  }
  const received: (TurnEvent | undefined)[] = []
  for await (const sent of sseEvents(bytes())) received.push(parseTurnEvent(sent))
  return received
}

describe('events of a turn', () => {
  const started: TurnEvent = {
    type: 'started',
    model: { provider: 'openrouter', model: 'a/b@c' } as ModelKey,
    profile: 'openrouter:work' as ProfileId,
    lane: 'metered',
    attempts: [
      {
        profile: 'openrouter:old' as ProfileId,
        model: 'openrouter/a',
        host: 'openrouter.ai',
        reason: 'rate_limit',
        status: 429,
        words: 'slow down',
        retryAfterMs: 30_000,
      },
      {
        profile: 'openrouter:off' as ProfileId,
        model: 'openrouter/a',
        host: 'openrouter.ai',
        reason: 'network',
        words: 'ECONNREFUSED',
      },
    ],
  }

  test('arrive as they were sent', async () => {
    const events: readonly TurnEvent[] = [
      started,
      { type: 'notice', text: 'note' },
      { type: 'command', text: 'a\r\nb' },
      { type: 'finished', stopReason: 'end_turn' },
      { type: 'finished', stopReason: 'x', usage: { inputTokens: 1, outputTokens: 2 } },
    ]
    for (const event of events) expect(await travelled(event)).toEqual([event])
  })

  test('any text arrives as it was sent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        expect(await travelled({ type: 'text', text })).toEqual([{ type: 'text', text }])
      }),
    )
  })

  test('a fault arrives explained, with the code and exit it had', async () => {
    const [event] = await travelled({ type: 'failed', fault: { code: 'EQ_REQUEST_CANCELLED' } })
    expect(event).toMatchObject({
      type: 'failed',
      fault: { code: 'EQ_GATEWAY_ANSWER', faultCode: 'EQ_REQUEST_CANCELLED', exit: 130 },
    })
  })

  test.each(['', '{', '{"type":"later"}', '{"type":"text"}', '{"type":"started","model":"x"}'])(
    'what is no event is none: %s',
    (data) => {
      expect(parseTurnEvent({ data })).toBeUndefined()
    },
  )
})

test('a request for a turn arrives as it was sent', () => {
  const body = '{"agent":"main","session":"main","message":" hi ","model":"opus@a:b"}'
  const parsed = parseTurnRequest(body)
  expect(parsed.ok && renderTurnRequest(parsed.value)).toBe(body)
})

test('the OpenAPI document describes every route, its parameters and its answer', () => {
  const document = openApiDocument('1.2.3') as {
    paths: Record<string, Record<string, { operationId: string; responses: object }>>
  }
  const described = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map((operation) => operation.operationId),
  )
  expect(described.sort()).toEqual(Object.keys(CONTROL_ROUTES).sort())
  expect(document).toMatchObject({
    openapi: '3.1.0',
    info: { version: '1.2.3' },
    security: [{ gatewayToken: [] }],
  })
  expect(document.paths['/api/sessions/{id}']?.['get']).toMatchObject({
    parameters: [
      { name: 'id', in: 'path', required: true },
      { name: 'agent', in: 'query', required: false },
    ],
  })
  expect(document.paths['/api/events']?.['get']).toMatchObject({
    parameters: [
      { name: 'since', in: 'query' },
      { name: 'follow', in: 'query' },
      { name: 'Last-Event-ID', in: 'header', required: false },
    ],
    responses: { 200: { content: { 'text/event-stream': { schema: expect.anything() } } } },
  })
  expect(JSON.parse(JSON.stringify(document))).toEqual(document)
})
