/** Whose view a report is, and how the views of a shell and of the gateway differ, in words. */
import type { Side, ViewDifference } from './view.ts'

/** @param pid of the gateway */
export function eventsFollowedWords(url: string, pid: number): string {
  return `Following the gateway at ${url} (pid ${pid}). Ctrl-C ends this`
}

export function eventsGoneWords(pid: number): string {
  return `The gateway (pid ${pid}) has gone. Waiting for one; start it: equabot gateway run`
}

/** Whose view a report is. */
export function viewWords(
  view: 'gateway' | 'own',
  gateway: { readonly url: string; readonly pid: number } | undefined,
): string {
  return view === 'gateway' && gateway
    ? `View of the gateway at ${gateway.url} (pid ${gateway.pid})`
    : 'View of this shell'
}

/** @param why the gateway could not be asked */
export function ownViewWords(why: string): string {
  return `View of this shell, which may differ from the gateway's: ${why}`
}

/** All of them in one sentence; empty where there are none. */
export function differencesWords(differences: readonly ViewDifference[]): string {
  return differences.length === 0
    ? ''
    : `This shell differs: ${differences.map(viewDifferenceWords).join('; ')}`
}

export function viewDifferenceWords(difference: ViewDifference): string {
  switch (difference.what) {
    case 'version':
      return `the gateway is version ${difference.gateway}, this program ${difference.own}: start the gateway anew`
    case 'config':
      return `the gateway reads ${difference.gateway}, this shell ${difference.own}`
    case 'model':
      return `here the model would be ${difference.own}`
    case 'variable':
      return VARIABLE_WORDS[difference.side](difference.name)
    case 'profile':
      return PROFILE_WORDS[difference.side](difference.profile)
    default:
      return difference satisfies never
  }
}

const VARIABLE_WORDS: Readonly<Record<Side | 'both', (name: string) => string>> = {
  gateway: (name) => `${name} is set for the gateway alone`,
  own: (name) => `${name} is set here alone; in the .env of the state folder both see it`,
  both: (name) => `${name} has another value here`,
}

const PROFILE_WORDS: Readonly<Record<Side, (profile: string) => string>> = {
  gateway: (profile) => `${profile} is there for the gateway alone`,
  own: (profile) => `${profile} is there for this shell alone`,
}

/** Where a variable comes from that is set in the environment of the gateway's process. */
export function gatewayVariableWords(name: string): string {
  return `${name} from the environment of the gateway`
}
