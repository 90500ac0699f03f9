/** Journals that are kept in memory. */

import type { StoreFault } from '../domain/fault.ts'
import type { GrantId, TokenMark, Verdict } from '../domain/grant.ts'
import type { GrantStore, Journal, JournalPage } from '../domain/renewal-ports.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'

export interface MemoryGrantStore extends GrantStore {
  page(grant: GrantId): JournalPage
}

interface Folder {
  page: JournalPage
}

export function memoryGrantStore(
  verdicts: Readonly<Record<string, Verdict>> = {},
): MemoryGrantStore {
  const folders = new Map<string, Folder>(
    Object.entries(verdicts).map(([grant, verdict]) => [
      grant,
      { page: { spent: new Map(), verdict } },
    ]),
  )
  const folderOf = (grant: GrantId): Folder => {
    const folder = folders.get(grant) ?? { page: { spent: new Map() } }
    folders.set(grant, folder)
    return folder
  }
  return {
    journal: (grant) => journalOf(folderOf(grant)),
    verdict: async (grant) => folders.get(grant)?.page.verdict,
    spent: async (grant) => folders.get(grant)?.page.spent ?? new Map(),
    list: async () => [...folders.keys()] as GrantId[],
    forget: async (grant) => void folders.delete(grant),
    page: (grant) => folderOf(grant).page,
  }
}

function journalOf(folder: Folder): Journal {
  const change = async (
    edit: (page: JournalPage) => JournalPage,
  ): Promise<Result<void, StoreFault>> => {
    folder.page = edit(folder.page)
    return ok()
  }
  const without = ({ attempt: _, answer: __, ...page }: JournalPage): JournalPage => page
  return {
    read: async () => ok(folder.page),
    reserve: (attempt) =>
      change((page) => ({ ...without(page), attempt: { phase: 'reserved', attempt } })),
    markSent: (attempt) => change((page) => ({ ...page, attempt: { phase: 'sent', attempt } })),
    keepAnswer: (attempt, answer, at) =>
      change((page) => ({ ...page, answer: { attempt: attempt.id, at, answer } })),
    noteSpent: (token, at) =>
      change((page) => ({
        ...page,
        spent: new Map<TokenMark, typeof at>([...page.spent, [token, at]]),
      })),
    putVerdict: (verdict) => change((page) => ({ ...page, verdict })),
    quarantine: () => change(({ answer: _, ...page }) => page),
    clear: () => change(without),
  }
}
