/** Logins in a user's words: whose they are, and whether they live. */

import { OWNER_NAMES } from './explain-foreign.ts'
import type { GrantPlace, LoginFact } from './finding-fact.ts'
import type { Telling, Told } from './telling.ts'
import { MENDS_IT, shellPath, tellFault } from './telling.ts'
import { inWords, relative } from './time.ts'

export function tellLogin(fact: LoginFact, telling: Telling): Told {
  const say = (message: string, fix: string): Told => ({ message, fix })
  const { show, now } = telling
  switch (fact.code) {
    case 'DR_FOREIGN_LOGIN':
    case 'DR_FOREIGN_ADOPTION':
    case 'DR_GRANT_DEAD':
    case 'DR_GRANT_WAITING':
    case 'DR_GRANT_STUCK':
      return beyondDoctor(tellFault(fact.fault, telling))
    case 'DR_FOREIGN_LOCK': {
      const { origin, path, modifiedAt } = fact.lock
      return say(
        `${OWNER_NAMES[origin]} left a lock (${show(path)}, dated ${relative(modifiedAt, now)}); it may keep others from renewing`,
        `${MENDS_IT}, or: rmdir ${shellPath(show(path))}`,
      )
    }
    case 'DR_GRANT_TWICE':
      return say(
        `One login stands in several places: ${[fact.keep, ...fact.others].map(placeWords).join(', ')}. The first renewal ends the other copies, or the whole login`,
        `${MENDS_IT} (keeps ${placeWords(fact.keep)})`,
      )
    case 'DR_GRANT_TWIN':
      return say(
        `${placeWords(fact.place)} is a copy of the login that ${OWNER_NAMES[fact.origin]} keeps in ${show(fact.owner)}; who renews first logs the other out`,
        `${MENDS_IT} (keeps that of ${OWNER_NAMES[fact.origin]}, which Equabot uses too)`,
      )
    case 'DR_GRANT_RENEWED':
      return say(`${fact.profile} was renewed just now, so its login lives`, '')
    case 'DR_GRANT_ORPHAN':
      return say(
        `${show(fact.path)} is the journal of a login that no profile names${fact.unfinished ? ', and an answer lies in it' : ''} (${inWords(fact.ageMs)} old)`,
        fact.unfinished
          ? 'It is kept; put back the profile that it belongs to'
          : `${MENDS_IT}, once it is 30 days old`,
      )
    case 'DR_GRANT_ASIDE':
      return say(
        `${show(fact.path)} is an answer for another account, kept aside after a renewal`,
        `When the login works: rm ${shellPath(show(fact.path))}`,
      )
    default:
      return fact satisfies never
  }
}

/** Why what was found was left as it is. */
export const LEFT_RENEWING =
  'left: a renewal of it is under way, or was not finished; the next one finishes it'

/** Said before doctor renews a login. */
export function renewingWords(profile: string): string {
  return `Renewing ${profile}, whose access has ended. This may take a minute …`
}

/** Whoever reads this has run doctor already. */
function beyondDoctor({ message, fix }: Told): Told {
  return { message, fix: fix.replace(/[.:]?(?: See:)? equabot doctor$/, '') }
}

function placeWords({ agent, profile }: GrantPlace): string {
  return `${profile} of agent ${agent}`
}
