/** What the files of other programs' logins have in common. Keys that are not known here are ignored. */

import type * as v from 'valibot'

import type { ForeignFault } from '../domain/fault.ts'
import type { ForeignOrigin } from '../domain/foreign.ts'
import { isRecord } from '../domain/plain-data.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Secret } from '../domain/secret.ts'
import type { EpochMs } from '../domain/time.ts'
import type { JsonObject } from './decode.ts'
import { decode, parseJson } from './decode.ts'

/** A login as its owner's file holds it, refresh token included. It goes no further than the owner's adapter. */
export interface OwnerLogin {
  readonly access: Secret
  /** Absent: nothing renews it. */
  readonly refresh?: Secret
  /** Absent: no end is known. */
  readonly expiresAt?: EpochMs
  readonly email?: string
  readonly accountId?: string
  /** The OAuth client that the grant was given to. */
  readonly clientId?: string
}

/** Whose file it is, and where it stands: for faults. */
export interface ForeignPlace {
  readonly origin: ForeignOrigin
  readonly place: string
}

export type OwnerLoginParser = (
  text: string,
  place: string,
) => Result<OwnerLogin | undefined, ForeignFault>

/** @faults `EQ_FOREIGN_SYNTAX`, `EQ_FOREIGN_FIELD` */
export function parseForeignObject(
  text: string,
  where: ForeignPlace,
): Result<JsonObject, ForeignFault> {
  const parsed = parseJson(text)
  if (!parsed.ok) return fail({ code: 'EQ_FOREIGN_SYNTAX', ...where, ...parsed.fault })
  if (isRecord(parsed.value)) return ok(parsed.value)
  return fail({
    code: 'EQ_FOREIGN_FIELD',
    ...where,
    field: 'the whole file',
    expected: 'an object',
  })
}

/** @faults `EQ_FOREIGN_FIELD` */
export function decodeForeign<const Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
  prefix: string,
  where: ForeignPlace,
): Result<v.InferOutput<Schema>, ForeignFault> {
  const decoded = decode(schema, input)
  if (decoded.ok) return decoded
  const { field, expected } = decoded.fault
  const path = [prefix, field].filter((part) => part !== '').join('.')
  return fail({ code: 'EQ_FOREIGN_FIELD', ...where, field: path, expected })
}

/** The text, unless there is none or it is blank. */
export function filledText(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}
