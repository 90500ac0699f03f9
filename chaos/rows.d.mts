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
export function runRow(row: number, size: 'ci' | 'full', seed: string): Promise<RowResult>
