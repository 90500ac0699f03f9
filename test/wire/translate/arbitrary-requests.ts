/** Requests of every kind that a protocol carries whole. */

import fc from 'fast-check'
import type {
  CallPart,
  Effort,
  NeutralMessage,
  NeutralRequest,
  NeutralTool,
  Part,
  ReplyFormat,
  TextPart,
  ToolChoice,
  ToolResult,
} from '../../../src/domain/neutral.ts'
import type { Protocol } from '../../../src/domain/provider.ts'

/** How far a protocol goes. */
interface Reach {
  readonly model: string
  readonly systems: number
  readonly efforts: readonly Effort[]
  /** Texts of one assistant message. */
  readonly assistantTexts: number
  readonly resultParts: 'text' | 'any'
  readonly errors: boolean
  readonly stops: number
  readonly parallel: readonly (boolean | undefined)[]
  readonly namesFormats: boolean
  readonly saysStrict: boolean
}

const REACH: Readonly<Record<Protocol, Reach>> = {
  'anthropic-messages': {
    model: 'claude-sonnet-5-5',
    systems: 3,
    efforts: ['low', 'medium', 'high', 'xhigh', 'max'],
    assistantTexts: 3,
    resultParts: 'any',
    errors: true,
    stops: 4,
    parallel: [undefined, false],
    namesFormats: false,
    saysStrict: false,
  },
  'openai-chat': {
    model: 'gpt-5.5',
    systems: 1,
    efforts: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'],
    assistantTexts: 1,
    resultParts: 'text',
    errors: false,
    stops: 4,
    parallel: [undefined, true, false],
    namesFormats: true,
    saysStrict: false,
  },
  'openai-responses': {
    model: 'gpt-5.5',
    systems: 1,
    efforts: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'],
    assistantTexts: 3,
    resultParts: 'any',
    errors: false,
    stops: 0,
    parallel: [undefined, true, false],
    namesFormats: true,
    saysStrict: true,
  },
}

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const name = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,11}$/)
const id = fc.stringMatching(/^[a-z]{2,5}_[A-Za-z0-9]{1,8}$/)
const base64 = fc.base64String({ minLength: 4, maxLength: 12 })
const text: fc.Arbitrary<TextPart> = words.map((said) => ({ type: 'text', text: said }))
const schema = fc.record({
  type: fc.constant('object'),
  properties: fc.dictionary(name, fc.record({ type: fc.constantFrom('string', 'number') }), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
})

const data = fc.record({
  kind: fc.constant('data' as const),
  mediaType: fc.constantFrom('image/png', 'image/webp'),
  data: base64,
})
const url = fc.record({
  kind: fc.constant('url' as const),
  url: fc.webUrl({ validSchemes: ['https', 'http'] }),
})
const image: fc.Arbitrary<Part> = fc.record({
  type: fc.constant('image' as const),
  source: fc.oneof(data, url),
})
const document_: fc.Arbitrary<Part> = fc.record({
  type: fc.constant('document' as const),
  source: data.map((source) => ({ ...source, mediaType: 'application/pdf' })),
  name,
})
const part: fc.Arbitrary<Part> = fc.oneof(text, image, document_)

const input = fc
  .dictionary(name, fc.oneof(words, fc.integer(), fc.boolean(), fc.constant(null)), { maxKeys: 3 })
  .map((value) => JSON.stringify(value))
const call: fc.Arbitrary<CallPart> = fc.record({
  type: fc.constant('call' as const),
  id,
  name,
  input,
})

function result(reach: Reach): fc.Arbitrary<ToolResult> {
  // Several texts are one where a result holds text alone.
  const single = fc.array(text, { maxLength: 1 })
  const mixed = fc
    .tuple(image, fc.array(part, { maxLength: 2 }))
    .map(([one, more]) => [one, ...more])
  return fc.record({
    callId: id,
    parts: reach.resultParts === 'any' ? fc.oneof(single, mixed) : single,
    isError: reach.errors ? fc.boolean() : fc.constant(false),
  })
}

/** What a user says, what an assistant answers, what came of its calls, what is said of it all. */
function turn(reach: Reach): fc.Arbitrary<readonly NeutralMessage[]> {
  const texts = fc.array(text, { maxLength: reach.assistantTexts })
  const calls = fc.array(call, { maxLength: 2 })
  return fc
    .record({
      user: fc.array(part, { minLength: 1, maxLength: 3 }),
      said: fc.tuple(texts, calls).map(([first, then]) => [...first, ...then]),
      results: fc.array(result(reach), { maxLength: 2 }),
      note: fc.option(words, { nil: undefined }),
    })
    .map(({ user, said, results, note }): readonly NeutralMessage[] => [
      { role: 'user', parts: user },
      ...(said.length > 0 ? [{ role: 'assistant', parts: said } as const] : []),
      ...(said.length > 0 && results.length > 0 ? [{ role: 'tool', results } as const] : []),
      ...(note === undefined ? [] : [{ role: 'system', text: note } as const]),
    ])
}

const choice: fc.Arbitrary<ToolChoice> = fc.oneof(
  fc.constantFrom<ToolChoice>({ kind: 'auto' }, { kind: 'any' }),
  name.map((one): ToolChoice => ({ kind: 'one', name: one })),
)

function tool(reach: Reach): fc.Arbitrary<NeutralTool> {
  const strict = fc.boolean()
  return fc.record(
    { name, description: words, input: schema, strict },
    { requiredKeys: reach.saysStrict ? ['name', 'input', 'strict'] : ['name', 'input'] },
  )
}

function tooling(
  reach: Reach,
): fc.Arbitrary<Partial<NeutralRequest> & Pick<NeutralRequest, 'tools'>> {
  return fc.oneof(
    fc.constant({ tools: [] }),
    fc
      .record({
        tools: fc.array(tool(reach), { minLength: 1, maxLength: 2 }),
        toolChoice: choice,
        parallelCalls: fc.constantFrom(...reach.parallel),
      })
      .map(({ parallelCalls, ...more }) => ({
        ...more,
        ...(parallelCalls !== undefined && { parallelCalls }),
      })),
  )
}

function format(reach: Reach): fc.Arbitrary<ReplyFormat> {
  return reach.namesFormats
    ? fc.record({ schema, name, strict: fc.boolean(), description: words })
    : fc.record({ schema })
}

const share = fc.double({ min: 0, max: 0.99, noNaN: true }).map((value) => Math.abs(value))

export function arbitraryRequest(protocol: Protocol): fc.Arbitrary<NeutralRequest> {
  const reach = REACH[protocol]
  const base = fc.record(
    {
      model: fc.constant(reach.model),
      stream: fc.boolean(),
      system: fc.array(words, { maxLength: reach.systems }),
      messages: fc.array(turn(reach), { minLength: 1, maxLength: 3 }).map((turns) => turns.flat()),
      stop: fc.array(words, { maxLength: reach.stops }),
      maxTokens: fc.integer({ min: 1, max: 200_000 }),
      temperature: share,
      topP: share,
      effort: fc.constantFrom(...reach.efforts),
      format: format(reach),
      user: fc.stringMatching(/^[a-z][a-z0-9 -]{0,20}$/),
    },
    { requiredKeys: ['model', 'stream', 'system', 'messages', 'stop', 'maxTokens'] },
  )
  return fc.tuple(base, tooling(reach)).map(([plain, tools]) => ({ ...plain, ...tools }))
}
