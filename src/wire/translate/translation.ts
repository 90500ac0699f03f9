/** One request put into its model's protocol, and the reply put back into the caller's. */

import type { UpstreamFailure } from '../../domain/cooldown.ts'
import type { Fault } from '../../domain/fault.ts'
import type { NeutralEvent, NeutralReply, ReplyWish } from '../../domain/neutral.ts'
import type { UpstreamAnswer } from '../../domain/ports.ts'
import type { Protocol, ProviderFacts } from '../../domain/provider.ts'
import type { Result } from '../../domain/result.ts'
import { fail, ok } from '../../domain/result.ts'
import { parseJson } from '../decode.ts'
import { sseEvents } from '../sse.ts'
import { TRANSLATION_DIALECTS } from './dialects.ts'
import { lostFields } from './lost-fields.ts'
import type { ReplyContext, ReplyProblem } from './replies.ts'
import { eventsOf, unreadable, wholeOf } from './replies.ts'

/** A request in the protocol of its model. */
export interface TranslatedRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly wish: ReplyWish
  /** Names of fields that were left out without harm. */
  readonly dropped: readonly string[]
}

/**
 * @param body of a request of the protocol `source`
 * @param model as its provider knows it
 * @faults `EQ_REQUEST_BODY`, `EQ_REQUEST_UNCARRIED`
 */
export function translateRequest(
  source: Protocol,
  body: Uint8Array,
  facts: Pick<ProviderFacts, 'id' | 'protocol'>,
  model: string,
): Result<TranslatedRequest, Fault> {
  const parsed = parseJson(new TextDecoder().decode(body))
  if (!parsed.ok) return fail({ code: 'EQ_REQUEST_BODY', field: 'body', problem: 'is not JSON' })
  const decoded = TRANSLATION_DIALECTS[source].decodeRequest(parsed.value, facts.protocol)
  if (!decoded.ok) return decoded
  const { request, wish, dropped } = decoded.value
  const target = TRANSLATION_DIALECTS[facts.protocol]
  const named = { ...request, model }
  return ok({
    path: target.path,
    headers: {
      ...target.headers,
      accept: wish.stream ? 'text/event-stream' : 'application/json',
      // What is to be read must not be compressed.
      'accept-encoding': 'identity',
    },
    body: JSON.stringify(target.encodeRequest(named, facts, wish)),
    wish,
    dropped: [...dropped, ...lostFields(source, named, facts)],
  })
}

/** Which protocols a reply is put between. */
export interface Way {
  /** The caller's. */
  readonly source: Protocol
  /** The model's. */
  readonly target: Protocol
}

/** Longest reply that is read as a whole, UTF-16 units. */
const LONGEST_REPLY = 64 * 1024 * 1024

/**
 * A whole reply as the caller's JSON.
 *
 * Throws when the body breaks off.
 */
export async function translateWhole(
  { source, target }: Way,
  answer: UpstreamAnswer,
  context: ReplyContext,
): Promise<Result<string, ReplyProblem>> {
  const reply = isStream(answer)
    ? await wholeOf(streamedEvents(target, answer))
    : await readReply(target, answer)
  if (!reply.ok) return reply
  const encoded = TRANSLATION_DIALECTS[source].encodeReply(reply.value, context)
  return encoded.ok ? ok(JSON.stringify(encoded.value)) : encoded
}

/**
 * A reply as the caller's events, each text one or more of them.
 *
 * Ends early when the provider tells of an error; `onFailure` hears of it. Throws when the stream breaks off, lacks its
 * last event or cannot be understood.
 */
export async function* translateStream(
  { source, target }: Way,
  answer: UpstreamAnswer,
  context: ReplyContext,
  onFailure: (failure: UpstreamFailure) => void,
): AsyncGenerator<string, void> {
  const encode = TRANSLATION_DIALECTS[source].createEncoder(context)
  for await (const event of eventsIn(target, answer)) {
    if (event.type === 'error') {
      onFailure(event.failure)
      return
    }
    const text = encode(event)
    if (text !== '') yield text
  }
}

async function* eventsIn(
  target: Protocol,
  answer: UpstreamAnswer,
): AsyncGenerator<NeutralEvent, void> {
  if (isStream(answer)) {
    yield* streamedEvents(target, answer)
    return
  }
  const reply = await readReply(target, answer)
  if (reply.ok) yield* eventsOf(reply.value)
  else if (reply.fault.kind === 'failed') yield { type: 'error', failure: reply.fault.failure }
  else throw new Error(`the reply ${reply.fault.problem}`)
}

/** A reply that has come to its stop is whole, however its connection ends after it. */
async function* streamedEvents(
  target: Protocol,
  { body }: UpstreamAnswer,
): AsyncGenerator<NeutralEvent, void> {
  let stopped = false
  try {
    for await (const event of TRANSLATION_DIALECTS[target].decodeStream(sseEvents(body))) {
      stopped ||= event.type === 'stop'
      yield event
    }
  } catch (cause) {
    if (!stopped) throw cause
  }
}

async function readReply(
  target: Protocol,
  { body, headers }: UpstreamAnswer,
): Promise<Result<NeutralReply, ReplyProblem>> {
  if (isCompressed(headers)) return fail(unreadable('is compressed though that was not asked for'))
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > LONGEST_REPLY) return fail(unreadable('is longer than 64 MiB'))
  }
  return TRANSLATION_DIALECTS[target].decodeReply(text + decoder.decode())
}

function isStream({ headers }: UpstreamAnswer): boolean {
  const type = String(headers['content-type'])
  return type.startsWith('text/event-stream') && !isCompressed(headers)
}

function isCompressed(headers: UpstreamAnswer['headers']): boolean {
  return (headers['content-encoding'] ?? 'identity') !== 'identity'
}
