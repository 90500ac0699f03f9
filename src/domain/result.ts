/** Success or a plain-data fault. Nothing a user, a network or a file can cause is thrown. */

import { explain } from './explain.ts'
import type { Fault, FaultCode } from './fault.ts'

export type Result<T, F = Fault> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: F }

export function ok(): Result<void, never>
export function ok<T>(value: T): Result<T, never>
export function ok<T>(value?: T): Result<T | undefined, never> {
  return { ok: true, value }
}

export function fail<F>(fault: F): Result<never, F> {
  return { ok: false, fault }
}

/** The exception for library callers who prefer exceptions; `code` is stable, `hint` says what to do. */
export class EquabotError extends Error {
  readonly code: FaultCode
  readonly hint: string
  readonly fault: Fault

  constructor(fault: Fault) {
    const { message, hint } = explain(fault)
    super(message)
    this.name = 'EquabotError'
    this.code = fault.code
    this.hint = hint
    this.fault = fault
  }
}

/** The value, or an `EquabotError` thrown. */
export function orThrow<T>(result: Result<T>): T {
  if (result.ok) return result.value
  throw new EquabotError(result.fault)
}
