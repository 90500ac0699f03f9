import type { Ledger, RequestRecord, UsageRow } from '../domain/ledger.ts'
import { addedUp, sumsOf, usageName } from '../domain/ledger.ts'
import { ok } from '../domain/result.ts'
import { dayText } from '../domain/time.ts'

export interface MemoryLedger extends Ledger {
  /** In the order in which they were recorded. */
  readonly records: readonly RequestRecord[]
}

/** A ledger that forgets everything at the end of the program. */
export function memoryLedger(given: readonly RequestRecord[] = []): MemoryLedger {
  const records = [...given]
  return {
    records,
    append: (record) => void records.push(record),
    flush: async () => ok(),
    async usage({ by, from = '', to = '~', agent }) {
      const rows = new Map<string, UsageRow>()
      for (const record of records) {
        const day = dayText(record.at)
        if (day < from || day > to || (agent !== undefined && record.agent !== agent)) continue
        const name = by === 'day' ? day : usageName(record, by)
        const known = rows.get(name)
        rows.set(name, { name, ...addedUp([...(known ? [known] : []), sumsOf(record)]) })
      }
      return ok([...rows.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    },
    async requests({ limit, profile, failed, since = 0 }) {
      const found = records.filter(
        (record) =>
          (profile === undefined || record.profile === profile) &&
          (!failed || record.outcome !== 'served') &&
          record.at + record.totalMs >= since,
      )
      return ok(found.toReversed().slice(0, limit))
    },
    setAside: async () => [],
    close: async () => undefined,
  }
}
