/** What stands in the files, in a user's words. */

import type { StoreFact } from './finding-fact.ts'
import type { Telling, Told } from './telling.ts'
import { MENDS_IT, shellPath, tellFault } from './telling.ts'
import { leftOutWords } from './wording.ts'

export function tellStore(fact: StoreFact, telling: Telling): Told {
  const say = (message: string, fix: string): Told => ({ message, fix })
  const place = 'path' in fact ? telling.show(fact.path) : ''
  switch (fact.code) {
    case 'DR_BOOK_UNREADABLE':
    case 'DR_CONFIG_INVALID':
    case 'DR_AGENT_UNREADABLE':
      return tellFault(fact.fault, telling)
    case 'DR_BOOK_ENTRY':
      return say(
        `${place}: ${fact.field}: ${leftOutWords(fact.problem)}`,
        fact.restorable
          ? `Mend it there, or put the last good copy back: equabot models auth restore --agent ${fact.agent}`
          : `Mend it there: "\${EDITOR:-vi}" ${shellPath(place)}`,
      )
    case 'DR_CONFIG_OLDER':
      return say(
        `${place} holds older spellings, read as the new ones: ${fact.fields.join(', ')}`,
        MENDS_IT,
      )
    case 'DR_CONFIG_SECRET':
      return say(
        `${place}: ${fact.field} holds a secret itself`,
        fact.field.startsWith('env.')
          ? `Put it into the .env of the state folder, then: equabot config unset ${fact.field}`
          : `Put it into the .env of the state folder, then: equabot config set ${fact.field} '\${NAME}'`,
      )
    case 'DR_ENV_LINE':
      return say(
        `${place}, line ${fact.line} ${fact.problem}`,
        `Mend that line: "\${EDITOR:-vi}" +${fact.line} ${shellPath(place)}`,
      )
    case 'DR_ORDER_UNKNOWN': {
      const names = fact.profiles.join(', ')
      return fact.agent === undefined
        ? say(`auth.order of the config names what is not there: ${names}`, MENDS_IT)
        : say(
            `The order of agent ${fact.agent} for ${fact.provider} names what is not there: ${names}`,
            MENDS_IT,
          )
    }
    case 'DR_CHECK_FAILED':
      return say(
        `The check "${fact.check}" could not be made: ${fact.detail}`,
        'Please report it: it is a fault of Equabot itself',
      )
    default:
      return fact satisfies never
  }
}
