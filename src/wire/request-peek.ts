/** What the gateway must know of a request that it passes on untouched: the same for both dialects. */

import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { JsonMember } from './json-members.ts'
import { jsonMembers, textAt } from './json-members.ts'

export interface RequestPeek {
  readonly model: string
  readonly stream: boolean
}

/** What is wrong with which field of a request body; `problem` is the rest of a sentence. */
export interface BodyProblem {
  readonly field: string
  readonly problem: string
}

/** Which model a request asks for, and whether its reply is to be streamed. Nothing else is judged. */
export function peekRequest(body: Uint8Array): Result<RequestPeek, BodyProblem> {
  const members = jsonMembers(body)
  if (!members.ok) return fail({ field: 'body', problem: members.fault })
  const model = only(members.value, 'model')
  if (!model.ok) return model
  const stream = only(members.value, 'stream')
  if (!stream.ok) return stream
  if (!model.value) return fail({ field: 'model', problem: 'is missing' })
  const name = body[model.value.start] === 0x22 ? memberText(body, model.value) : ''
  if (name === '') return fail({ field: 'model', problem: 'must be the name of a model' })
  const asked = stream.value ? rawText(body, stream.value) : 'false'
  if (asked !== 'true' && asked !== 'false' && asked !== 'null') {
    return fail({ field: 'stream', problem: 'must be true or false' })
  }
  return ok({ model: name, stream: asked === 'true' })
}

/**
 * The same body asking for another model; every byte outside the model's value stays as it is.
 *
 * For bodies that `peekRequest` accepts; throws on others.
 */
export function withModel(body: Uint8Array, model: string): Uint8Array {
  const members = jsonMembers(body)
  const place = members.ok ? only(members.value, 'model') : undefined
  if (!place?.ok || !place.value) throw new Error('the body has no model to replace')
  const { start, end } = place.value
  const value = new TextEncoder().encode(JSON.stringify(model))
  const changed = new Uint8Array(body.length - (end - start) + value.length)
  changed.set(body.subarray(0, start))
  changed.set(value, start)
  changed.set(body.subarray(end), start + value.length)
  return changed
}

/** Readers differ on which of two members with one name counts, so a request may not have two. */
function only(
  members: readonly JsonMember[],
  key: string,
): Result<JsonMember | undefined, BodyProblem> {
  const found = members.filter((member) => member.key === key)
  return found.length > 1 ? fail({ field: key, problem: 'is given twice' }) : ok(found[0])
}

function memberText(body: Uint8Array, member: JsonMember): string {
  return textAt(body, member.start, member.end)
}

function rawText(body: Uint8Array, member: JsonMember): string {
  return new TextDecoder().decode(body.subarray(member.start, member.end))
}
