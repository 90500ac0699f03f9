/** Success or a plain-data fault. Nothing a user, a network or a file can cause is thrown. */

import type { Fault } from './fault.ts'

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
