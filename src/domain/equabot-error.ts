/** Faults as exceptions, for library callers who prefer them. Nothing inside the program throws one. */

import { explain } from './explain.ts'
import type { Fault, FaultCode } from './fault.ts'
import type { Result } from './result.ts'

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
