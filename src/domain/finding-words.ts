/** What doctor found, in a user's words, and the command that puts it right. */

import type { FindingFact } from './finding-fact.ts'
import { tellCredential } from './finding-words-credentials.ts'
import { tellDisk } from './finding-words-disk.ts'
import { tellLogin } from './finding-words-logins.ts'
import { tellStore } from './finding-words-stores.ts'
import type { Telling, Told } from './telling.ts'

export function tellFinding(fact: FindingFact, telling: Telling): Told {
  switch (fact.code) {
    case 'DR_STATE_MISSING':
    case 'DR_STATE_UNWRITABLE':
    case 'DR_STATE_SHARED':
    case 'DR_STATE_LARGE':
    case 'DR_FOLDER_UNREADABLE':
    case 'DR_FILE_OPEN':
    case 'DR_FILE_CLOSED':
    case 'DR_FILE_OWNER':
    case 'DR_FILE_KIND':
    case 'DR_FILE_LINK':
    case 'DR_FILE_NAMES':
    case 'DR_FILE_STRAY':
    case 'DR_DISK_FULL':
    case 'DR_DISK_LOW':
    case 'DR_DISK_KIND':
    case 'DR_CLOCK_BEHIND':
    case 'DR_CLOCK_FUTURE':
      return tellDisk(fact, telling)
    case 'DR_BOOK_UNREADABLE':
    case 'DR_BOOK_ENTRY':
    case 'DR_CONFIG_INVALID':
    case 'DR_CONFIG_OLDER':
    case 'DR_CONFIG_SECRET':
    case 'DR_ENV_LINE':
    case 'DR_AGENT_UNREADABLE':
    case 'DR_ORDER_UNKNOWN':
    case 'DR_CHECK_FAILED':
      return tellStore(fact, telling)
    case 'DR_FOREIGN_LOGIN':
    case 'DR_FOREIGN_ADOPTION':
    case 'DR_FOREIGN_LOCK':
    case 'DR_GRANT_TWICE':
    case 'DR_GRANT_TWIN':
    case 'DR_GRANT_DEAD':
    case 'DR_GRANT_WAITING':
    case 'DR_GRANT_STUCK':
    case 'DR_GRANT_RENEWED':
    case 'DR_GRANT_ORPHAN':
    case 'DR_GRANT_ASIDE':
      return tellLogin(fact, telling)
    case 'DR_ACCESS_ENDED':
    case 'DR_ACCESS_OWNERS':
    case 'DR_ACCESS_ENDING':
    case 'DR_ACCESS_REJECTED':
    case 'DR_SECRET_UNUSABLE':
    case 'DR_POLICY_REFUSED':
    case 'DR_RESTING':
    case 'DR_CREDENTIAL_NONE':
    case 'DR_PROFILE_UNORDERED':
    case 'DR_PROFILE_MODE':
    case 'DR_PROFILE_UNUSED':
      return tellCredential(fact, telling)
    default:
      return fact satisfies never
  }
}
