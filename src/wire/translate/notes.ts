/** What a translation of one request notes on its way: what it leaves out, and the first thing that it cannot do. */

import type * as v from 'valibot'
import type { Fault } from '../../domain/fault.ts'
import type { Protocol } from '../../domain/provider.ts'
import { decode } from '../decode.ts'

export interface Notes {
  /** The protocol of the model. */
  readonly target: Protocol
  /** Left out, and nothing is lost by it that the reply depends on. */
  drop(field: string): void
  /** Has no equal in the other protocol. */
  refuse(field: string): void
  /** Is not what the caller's own protocol says. `problem` is the rest of a sentence. */
  misfit(field: string, problem: string): void
  dropped(): readonly string[]
  fault(): Fault | undefined
}

export function createNotes(target: Protocol): Notes {
  const dropped = new Set<string>()
  let fault: Fault | undefined
  return {
    target,
    drop: (field) => void dropped.add(field),
    refuse: (field) => {
      fault ??= { code: 'EQ_REQUEST_UNCARRIED', field, protocol: target }
    },
    misfit: (field, problem) => {
      fault ??= { code: 'EQ_REQUEST_BODY', field, problem }
    },
    dropped: () => [...dropped],
    fault: () => fault,
  }
}

/** The value as the schema has it; undefined, with a note, when it does not fit. `place` is empty for the whole body. */
export function fitted<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  place: string,
  notes: Notes,
): v.InferOutput<Schema> | undefined {
  const read = decode(schema, value)
  if (read.ok) return read.value
  const field = [place, read.fault.field].filter((part) => part !== '').join('.')
  notes.misfit(field || 'body', `must be ${read.fault.expected}`)
  return undefined
}
