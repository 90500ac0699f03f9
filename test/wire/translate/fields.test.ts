import { describe, expect, test } from 'vitest'
import { orThrow } from '../../../src/domain/equabot-error.ts'
import type { Protocol } from '../../../src/domain/provider.ts'
import { FATES, fateOf } from '../../../src/wire/translate/fields.ts'
import { translateRequest } from '../../../src/wire/translate/translation.ts'
import { provider } from '../../names-from.ts'
import { bytes } from './recorded.ts'

const LEAST: Readonly<Record<Protocol, Record<string, unknown>>> = {
  'anthropic-messages': {
    model: 'm',
    max_tokens: 5,
    messages: [{ role: 'user', content: 'hi' }],
  },
  'openai-chat': { model: 'm', messages: [{ role: 'user', content: 'hi' }] },
  'openai-responses': { model: 'm', input: 'hi' },
}
const PROTOCOLS = Object.keys(LEAST) as Protocol[]
const WAYS = PROTOCOLS.flatMap((source) =>
  PROTOCOLS.filter((target) => target !== source).map((target) => [source, target] as const),
)

function translated(source: Protocol, target: Protocol, more: Record<string, unknown>) {
  const facts = { id: provider('mine'), protocol: target }
  return translateRequest(source, bytes({ ...LEAST[source], ...more }), facts, 'model-there')
}

/** The field that a request is refused for. */
function refusedFor(source: Protocol, target: Protocol, more: Record<string, unknown>): string {
  const made = translated(source, target, more)
  if (made.ok) return 'nothing'
  return made.fault.code === 'EQ_REQUEST_UNCARRIED' ? made.fault.field : made.fault.code
}

/** Lists where the protocol has one; something else elsewhere. */
const VALUES: Readonly<Record<string, unknown>> = {
  stop: ['a'],
  stop_sequences: ['a'],
  functions: [{}],
  mcp_servers: [{}],
  modalities: ['audio'],
  logit_bias: { 1: 2 },
}

describe.each(WAYS)('from %s to %s', (source, target) => {
  const fields = Object.keys(FATES[source])

  test('a refused field is named, unless it asks for nothing', () => {
    const refused = fields.filter((field) => fateOf(source, field, target) === 'refused')
    expect(refused.length).toBeGreaterThan(0)
    for (const field of refused) {
      expect(refusedFor(source, target, { [field]: VALUES[field] ?? 2 })).toBe(field)
      expect(refusedFor(source, target, { [field]: null })).toBe('nothing')
    }
  })

  test('a dropped field, known or not, changes nothing that is sent and is named', () => {
    const plain = orThrow(translated(source, target, {}))
    const dropped = fields.filter((field) => fateOf(source, field, target) === 'dropped')
    for (const field of [...dropped, 'a_field_of_the_future']) {
      const made = orThrow(translated(source, target, { [field]: 'x' }))
      expect(made.body).toBe(plain.body)
      expect(made.dropped).toEqual([field])
    }
  })
})

test('what the model or its login does not take is named in the words of the caller', () => {
  const names = (id: string, source: Protocol, target: Protocol, more: Record<string, unknown>) =>
    orThrow(
      translateRequest(
        source,
        bytes({ ...LEAST[source], ...more }),
        { id: provider(id), protocol: target },
        'some-model',
      ),
    ).dropped
  const effort = { output_config: { effort: 'high' } }
  expect(names('mine', 'anthropic-messages', 'openai-chat', effort)).toEqual([
    'output_config.effort',
  ])
  const steering = { temperature: 0.5, top_p: 0.5, max_tokens: 9, user: 'anna' }
  expect(names('mine', 'openai-chat', 'openai-responses', steering)).toEqual([])
  expect(names('openai-codex', 'openai-chat', 'openai-responses', steering)).toEqual([
    'max_completion_tokens',
    'temperature',
    'top_p',
    'user',
  ])
})

test('tools that were to be searched for are told of all at once', () => {
  const made = orThrow(
    translated('anthropic-messages', 'openai-chat', {
      tools: [
        { type: 'tool_search_tool_regex_20251119', name: 'tool_search_tool_regex' },
        { name: 'late', input_schema: {}, defer_loading: true },
      ],
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'a',
              content: [{ type: 'tool_reference', tool_name: 'late' }],
            },
          ],
        },
      ],
    }),
  )
  expect(made.dropped).toEqual(['tools.tool_search'])
  expect(JSON.parse(made.body)).toMatchObject({
    messages: [{ role: 'tool', tool_call_id: 'a', content: 'late' }],
    tools: [{ function: { name: 'late' } }],
  })
})

describe('what a protocol cannot say is refused by name', () => {
  const say = (content: unknown, role = 'user') => ({ messages: [{ role, content }] })
  const url = (address: string) => ({ type: 'image_url', image_url: { url: address } })
  test.each<[Protocol, Protocol, Record<string, unknown>, string]>([
    [
      'anthropic-messages',
      'openai-chat',
      { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
      'tools.0.type',
    ],
    [
      'anthropic-messages',
      'openai-chat',
      { stop_sequences: ['a', 'b', 'c', 'd', 'e'] },
      'stop_sequences',
    ],
    [
      'anthropic-messages',
      'openai-chat',
      say([{ type: 'image', source: { type: 'file', file_id: 'f' } }]),
      'messages.0.content.0.source.type',
    ],
    [
      'anthropic-messages',
      'openai-chat',
      say([{ type: 'server_tool_use' }], 'assistant'),
      'messages.0.content.0.type',
    ],
    [
      'anthropic-messages',
      'openai-chat',
      say([{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'search_result' }] }]),
      'messages.0.content.0.content.0.type',
    ],
    ['anthropic-messages', 'openai-chat', say('x', 'function'), 'messages.0.role'],
    ['openai-chat', 'anthropic-messages', { temperature: 1.5 }, 'temperature'],
    [
      'openai-chat',
      'anthropic-messages',
      { tools: [{ type: 'custom', custom: { name: 'x' } }] },
      'tools.0.type',
    ],
    [
      'openai-chat',
      'anthropic-messages',
      { tool_choice: { type: 'allowed_tools' } },
      'tool_choice.type',
    ],
    [
      'openai-chat',
      'anthropic-messages',
      { response_format: { type: 'json_object' } },
      'response_format.type',
    ],
    [
      'openai-chat',
      'anthropic-messages',
      say([{ type: 'input_audio' }]),
      'messages.0.content.0.type',
    ],
    [
      'openai-chat',
      'anthropic-messages',
      say([url('file:///etc/passwd')]),
      'messages.0.content.0.image_url.url',
    ],
    [
      'openai-chat',
      'anthropic-messages',
      say([{ type: 'file', file: { file_id: 'f' } }]),
      'messages.0.content.0.file',
    ],
    [
      'openai-responses',
      'anthropic-messages',
      { input: [{ type: 'item_reference', id: 'x' }] },
      'input.0.type',
    ],
    ['openai-responses', 'anthropic-messages', { tools: [{ type: 'web_search' }] }, 'tools.0.type'],
    [
      'openai-responses',
      'anthropic-messages',
      { tools: [{ type: 'custom', name: 'apply_patch' }] },
      'tools.0.type',
    ],
    [
      'openai-responses',
      'anthropic-messages',
      { text: { format: { type: 'json_object' } } },
      'text.format.type',
    ],
  ])('%s to %s: %j', (source, target, more, field) => {
    expect(refusedFor(source, target, more)).toBe(field)
  })

  test.each<[Protocol, Record<string, unknown>, string]>([
    ['anthropic-messages', { messages: 'hi' }, 'messages'],
    ['anthropic-messages', say([{ type: 'text' }]), 'messages.0.content.0.text'],
    ['anthropic-messages', { max_tokens: -1 }, 'max_tokens'],
    ['openai-chat', { messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.tool_call_id'],
    ['openai-responses', { input: [{ type: 'function_call', name: 'x' }] }, 'input.0.call_id'],
  ])(
    'what is not the protocol of the caller is told by its field: %s %j',
    (source, more, field) => {
      const target = source === 'openai-chat' ? 'anthropic-messages' : 'openai-chat'
      const made = translated(source, target, more)
      expect(made.ok ? undefined : made.fault).toMatchObject({ code: 'EQ_REQUEST_BODY', field })
    },
  )
})
