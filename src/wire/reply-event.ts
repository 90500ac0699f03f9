/** What the decoders of both dialects share: reading one event, judging an error, and saying that a stream broke off. */

import type * as v from 'valibot'
import type { ReplyEvent } from '../domain/chat.ts'
import type { Protocol } from '../domain/provider.ts'
import { decodeOrDrop, parseJson } from './decode.ts'
import { judgeReply } from './upstream-reply.ts'

/** The event in `data`, or undefined when it is of a kind that is not needed. Throws when it is no JSON. */
export function parseEvent<S extends v.GenericSchema>(
  schema: S,
  data: string,
): v.InferOutput<S> | undefined {
  const event = parseJson(data)
  if (!event.ok) throw new Error('the stream holds an event that is not JSON')
  return decodeOrDrop(schema, event.value)
}

/** What a decoder throws when a stream ends in good order but before its last event. */
export function replyCut(): Error {
  return new Error('the stream ended before the reply did')
}

/** A provider's error inside the stream, judged as an answer with the same body is. Instants in it have no clock to be held against. */
export function errorEvent(protocol: Protocol, data: string): ReplyEvent {
  const failure = judgeReply(protocol, 200, {}, data, 0)
  return { type: 'error', words: failure.words, failure }
}
