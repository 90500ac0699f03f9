/** What `rows.mjs` gives to tests that are written in TypeScript. */

export interface RowResult {
  readonly row: number
  readonly passed: boolean
  /** What went wrong, each kind once with its count and its first case. */
  readonly problems: readonly string[]
  readonly figures: Readonly<Record<string, unknown>>
}

export const ROW_NUMBERS: readonly number[]
export function titleOf(row: number): string
/** A piece of source that is replaced, to take a safeguard out. */
export interface Breakage {
  readonly file: string
  readonly from: string
  readonly to: string
}

export function runRow(
  row: number,
  size: 'ci' | 'full' | Readonly<Record<string, unknown>>,
  seed: string,
  breakage?: Breakage,
): Promise<RowResult>
