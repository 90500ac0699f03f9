import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { orThrow } from '../../../src/domain/equabot-error.ts'
import type { NeutralEvent, NeutralReply, ReplyPart } from '../../../src/domain/neutral.ts'
import type { Protocol } from '../../../src/domain/provider.ts'
import { TRANSLATION_DIALECTS } from '../../../src/wire/translate/dialects.ts'
import type { ReplyContext } from '../../../src/wire/translate/replies.ts'
import { eventsOf, wholeOf } from '../../../src/wire/translate/replies.ts'
import { sseEvents } from '../../../src/wire/sse.ts'
import { provider } from '../../names-from.ts'
import { chunked, chunkSizes } from '../byte-stream.ts'
import { arbitraryRequest } from './arbitrary-requests.ts'
import { checkChatStream, checkMessagesStream, checkResponsesStream } from './grammar.ts'

/** Each with another that takes all that it says. */
const PROTOCOLS: readonly (readonly [Protocol, Protocol])[] = [
  ['anthropic-messages', 'openai-chat'],
  ['openai-chat', 'anthropic-messages'],
  ['openai-responses', 'anthropic-messages'],
]
const FACTS = { id: provider('mine') }
const CONTEXT: ReplyContext = {
  id: 'spare',
  model: 'spare-model',
  createdSeconds: 1_700_000_000,
  wish: { stream: true, thinking: true, usage: true, echo: { instructions: null } },
}

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const token = fc.stringMatching(/^[A-Za-z0-9]{1,8}$/)
const part: fc.Arbitrary<ReplyPart> = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text: words }),
  fc.record({ type: fc.constant('thinking' as const), text: words }),
  fc.record({
    type: fc.constant('call' as const),
    id: token.map((end) => `call_${end}`),
    name: token,
    input: fc.dictionary(token, words, { maxKeys: 3 }).map((value) => JSON.stringify(value)),
  }),
)
/** Two texts side by side are one, so each part is of another kind than the one before, but for calls. */
const parts = fc
  .array(part, { maxLength: 6 })
  .map((all) => all.filter(({ type }, index) => type === 'call' || type !== all[index - 1]?.type))
const usage = fc
  .record({
    fresh: fc.nat(1e6),
    cacheReadTokens: fc.nat(1e6),
    cacheWriteTokens: fc.nat(1e6),
    outputTokens: fc.integer({ min: 1, max: 1e6 }),
  })
  .map(({ fresh, ...rest }) => ({
    ...rest,
    inputTokens: 1 + fresh + rest.cacheReadTokens + rest.cacheWriteTokens,
  }))
const reply: fc.Arbitrary<NeutralReply> = fc
  .record({ model: token, parts, usage, isLong: fc.boolean(), number: token })
  .map(({ isLong, number, ...rest }) => ({
    ...rest,
    id: number,
    stop: isLong
      ? 'max_tokens'
      : rest.parts.some(({ type }) => type === 'call')
        ? 'tool_use'
        : 'end',
  }))

/** In Chat Completions the order of words, thoughts and calls is lost. */
function partsIn(protocol: Protocol, told: NeutralReply): unknown {
  if (protocol !== 'openai-chat') return told.parts
  const text = (type: ReplyPart['type']): string =>
    told.parts.map((one) => (one.type === type && one.type !== 'call' ? one.text : '')).join('')
  return {
    words: text('text'),
    thoughts: text('thinking').length > 0,
    calls: told.parts.filter(({ type }) => type === 'call'),
  }
}

function inPieces(events: readonly NeutralEvent[]): readonly NeutralEvent[] {
  return events.flatMap((event): readonly NeutralEvent[] => {
    if (event.type !== 'text' && event.type !== 'thinking') return [event]
    return [...event.text].map((text) => ({ type: event.type, text }))
  })
}

describe.each(PROTOCOLS)('%s', (protocol, other) => {
  const dialect = TRANSLATION_DIALECTS[protocol]

  test('a request that it carries comes back as it was', () => {
    fc.assert(
      fc.property(arbitraryRequest(protocol), (request) => {
        const encoded = dialect.encodeRequest(request, FACTS, { thinking: false })
        const overTheWire: unknown = JSON.parse(JSON.stringify(encoded))
        const decoded = orThrow(dialect.decodeRequest(overTheWire, other))
        expect(decoded.request).toEqual(request)
      }),
      { numRuns: 200 },
    )
  })

  test('a whole reply comes back as it was', () => {
    fc.assert(
      fc.property(reply, (said) => {
        const encoded = dialect.encodeReply(said, CONTEXT)
        if (!encoded.ok) throw new Error('not encoded')
        const decoded = dialect.decodeReply(JSON.stringify(encoded.value))
        if (!decoded.ok) throw new Error('not decoded')
        const { id, usage: counts, ...back } = decoded.value
        expect(id).toMatch(new RegExp(`${said.id}$`))
        expect(counts?.inputTokens).toBe(said.usage?.inputTokens)
        expect(counts?.outputTokens).toBe(said.usage?.outputTokens)
        expect(counts?.cacheReadTokens).toBe(said.usage?.cacheReadTokens)
        expect([back.model, back.stop]).toEqual([said.model, said.stop])
        expect(partsIn(protocol, back)).toEqual(partsIn(protocol, said))
      }),
      { numRuns: 200 },
    )
  })

  test('a streamed reply keeps to the order of the protocol and comes back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(reply, chunkSizes, async (said, sizes) => {
        const encode = dialect.createEncoder(CONTEXT)
        const text = inPieces([...eventsOf(said)])
          .map(encode)
          .join('')
        if (protocol === 'anthropic-messages') checkMessagesStream(text)
        else if (protocol === 'openai-chat') checkChatStream(text, true)
        else checkResponsesStream(text)

        const whole = await wholeOf(dialect.decodeStream(sseEvents(chunked(text, sizes))))
        if (!whole.ok) throw new Error('an error where none was')
        expect([whole.value.model, whole.value.stop]).toEqual([said.model, said.stop])
        expect(whole.value.usage?.outputTokens).toBe(said.usage?.outputTokens)
        expect(whole.value.usage?.inputTokens).toBe(said.usage?.inputTokens)
        expect(partsIn(protocol, whole.value)).toEqual(partsIn(protocol, said))
      }),
      { numRuns: 100 },
    )
  })
})
