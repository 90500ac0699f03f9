/** What a provider's answers say about how much of a limit is used up. Read from headers of answers; nobody asks for it. */

import type { EpochMs } from './time.ts'

/** One limit of one credential, as it stood when an answer came. */
export interface QuotaWindow {
  /** `requests`, `tokens`, `input-tokens`, `output-tokens`; a plan's windows by length: `5h`, `7d`. */
  readonly name: string
  /** Used share, 0 to 1. */
  readonly used?: number
  readonly limit?: number
  readonly remaining?: number
  /** The provider's own judgement. */
  readonly status?: 'allowed' | 'warning' | 'rejected'
  readonly resetsAt?: EpochMs
  /** When the answer came that said so. */
  readonly seenAt: EpochMs
}
