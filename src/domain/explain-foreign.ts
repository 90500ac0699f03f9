/** Why another program's login could not be taken over, in a user's words. */

import type { KeptBecause, SyncedSource } from './adoption.ts'
import type { Explanation } from './explanation.ts'
import type { Fault, ForeignFault } from './fault.ts'
import { providerOf } from './names.ts'
import type { ForeignOrigin, SwitchedOffBy } from './foreign.ts'
import type { Origin } from './profile.ts'
import type { OwnerProgramEnd } from './renewal-ports.ts'
import type { EpochMs } from './time.ts'
import { dateText, inWords, relative } from './time.ts'

/** How the owners of logins are called. */
export const OWNER_NAMES: Readonly<Record<Origin, string>> = {
  equabot: 'Equabot',
  'claude-code': 'Claude Code',
  'codex-cli': 'Codex',
}

/** What logs a person in with an owner again. */
export const OWNER_LOGIN: Readonly<Record<Origin, string>> = {
  equabot: 'equabot models auth login',
  'claude-code': 'claude auth login',
  'codex-cli': 'codex login',
}

/** Why a login was not renewed by running its owner's program. */
export function ownerProgramWords(
  origin: ForeignOrigin,
  end: OwnerProgramEnd,
  patienceMs: number,
): string {
  const program = OWNER_PROGRAMS[origin]
  switch (end.kind) {
    case 'ended':
      return end.exit === 0
        ? `${program} ran and did not renew its login`
        : `${program} ended with ${end.exit}`
    case 'killed':
      return `${program} was ended by ${end.signal}`
    case 'not_started':
      return end.errno === 'ENOENT'
        ? `${program} is not on the PATH`
        : `${program} could not be started (${end.errno})`
    case 'out_of_patience':
      return `${program} did not end within ${inWords(patienceMs)}`
    default:
      return end satisfies never
  }
}

const OWNER_PROGRAMS: Readonly<Record<ForeignOrigin, string>> = {
  'claude-code': 'claude',
  'codex-cli': 'codex',
}

/** The field of config that has the settings of these logins. */
const SETTINGS_OF: Readonly<Record<ForeignOrigin, string>> = {
  'claude-code': 'auth.foreign.claudeCode',
  'codex-cli': 'auth.foreign.codexCli',
}

/** What leaves the logins of this owner out, or takes them in again. */
export function enabledCommand(origin: Origin, enabled: boolean): string {
  const field = SETTINGS_OF[origin === 'codex-cli' ? origin : 'claude-code']
  return `equabot config set ${field}.enabled ${enabled}`
}

/** Which switch leaves a login out. */
export function leftOutBecause(owner: Origin, by: SwitchedOffBy): string {
  return by === 'config'
    ? `the config leaves the login of ${OWNER_NAMES[owner]} out`
    : 'EQUABOT_FOREIGN_LOGINS=0 leaves the logins of other programs out'
}

/** What takes it in again. */
export function takeInAgain(owner: Origin, by: SwitchedOffBy): string {
  return by === 'config'
    ? `To use it: ${enabledCommand(owner, true)}`
    : 'To use it: unset EQUABOT_FOREIGN_LOGINS'
}

/** @param explain for the fault that stands inside this one */
export function explainForeign(
  fault: ForeignFault,
  explain: (fault: Fault) => Explanation,
): Explanation {
  if (fault.code !== 'EQ_FOREIGN_NOT_STORED') return explainUnread(fault)
  const { message, hint, exit } = explain(fault.because)
  return {
    message: `The login of ${OWNER_NAMES[fault.origin]} in ${fault.place} could not be stored, so it is not used. ${message}`,
    hint,
    exit,
    http: 503,
  }
}

/** Why a login cannot be read as it is, or should not stay so. */
export function explainUnread(
  fault: Exclude<ForeignFault, { code: 'EQ_FOREIGN_NOT_STORED' }>,
): Explanation {
  const owner = OWNER_NAMES[fault.origin]
  const login = OWNER_LOGIN[fault.origin]
  const kept = fault.noCopy ? '' : '. The last good copy is kept'
  const say = (message: string, hint: string, exit: number): Explanation => ({
    message,
    hint,
    exit,
    http: 503,
  })
  switch (fault.code) {
    case 'EQ_FOREIGN_BLANK':
      return say(
        `${owner} has logged out: ${fault.place} holds an empty login${kept}`,
        `Log in there again: ${login}`,
        1,
      )
    case 'EQ_FOREIGN_SYNTAX':
      return say(
        `${fault.place} is not whole JSON: line ${fault.line}, column ${fault.column}${kept}`,
        `${owner} may be writing it just now; if this stays: ${login}`,
        65,
      )
    case 'EQ_FOREIGN_FIELD':
      return say(
        `${fault.place}: ${fault.field} must be ${fault.expected}${kept}`,
        `If this stays: ${login}`,
        65,
      )
    case 'EQ_FOREIGN_UNREADABLE':
      return fault.errno === 'EFBIG'
        ? say(
            `${fault.place} is too large for a login${kept}`,
            `Look at it: ls -l ${fault.place}`,
            65,
          )
        : say(
            `Cannot read the login of ${owner} in ${fault.place} (${fault.errno})${kept}`,
            fault.errno === 'EACCES'
              ? `Give yourself the right to: chmod 600 ${fault.place}`
              : `Check owner and mode: ls -l ${fault.place}`,
            77,
          )
    case 'EQ_FOREIGN_OPEN': {
      const mode = fault.mode.toString(8)
      return fault.writable
        ? say(
            `Other users of this machine may write ${fault.place} (mode ${mode}), so it is not trusted${kept}`,
            `Close it: chmod 600 ${fault.place}`,
            77,
          )
        : say(
            `Other users of this machine may read ${fault.place} (mode ${mode})`,
            `Close it: chmod 600 ${fault.place}`,
            77,
          )
    }
    case 'EQ_FOREIGN_LINK':
      return say(
        `${fault.place} is a symbolic link; ${owner} replaces it by a file of its own at its next write, and then there are two logins${kept}`,
        'Put the file itself there, or link the whole folder',
        77,
      )
    case 'EQ_FOREIGN_KIND':
      return say(
        `${fault.place} is not a regular file${kept}`,
        `Look at it: ls -l ${fault.place}`,
        77,
      )
    case 'EQ_FOREIGN_OWNER':
      return say(
        `${fault.place} belongs to another user${kept}`,
        `If it is yours: sudo chown "$USER" ${fault.place}`,
        77,
      )
    case 'EQ_FOREIGN_KEY_ONLY':
      return say(
        `${owner} uses an API key (${fault.place}), not a login`,
        'Give Equabot the key itself: equabot models auth paste-token --provider openai',
        1,
      )
    case 'EQ_KEYCHAIN_LOCKED':
      return say(
        `The keychain with the login of ${owner} is locked${kept}`,
        'Unlock it: security unlock-keychain, then: equabot models auth sync',
        77,
      )
    case 'EQ_KEYCHAIN_DENIED':
      return say(
        fault.remembered
          ? `Access to ${fault.place} was denied before, so it is not asked for again${kept}`
          : `Access to ${fault.place} was denied${kept}`,
        'To be asked again: equabot models auth sync',
        77,
      )
    case 'EQ_KEYCHAIN_SILENT':
      return say(
        `The keychain did not answer within ${Math.round(fault.waitedMs / 1000)} s${kept}`,
        'Look for its dialog on the screen, then: equabot models auth sync',
        75,
      )
    case 'EQ_KEYCHAIN_FAILED':
      return say(
        `The keychain could not be read (security ended with ${fault.exit})${kept}`,
        `If this stays: ${login}`,
        77,
      )
    default:
      return fault satisfies never
  }
}

/** What came of adopting from one source, as one sentence. Its fault or remark is explained apart. */
export function syncedWords(source: SyncedSource, now: EpochMs): string {
  const { profile, login } = source
  switch (source.outcome) {
    case 'added':
      return `Added ${profile}: ${loginWords(login, now)}`
    case 'updated':
      return `Updated ${profile}: ${loginWords(login, now)}`
    case 'same':
      return `${profile} is up to date: ${loginWords(login, now)}`
    case 'kept':
      return `${profile} was left as it is${source.because === undefined ? '' : `: ${LEFT_BECAUSE[source.because]}`}`
    case 'absent':
      return source.copy ? orphanWords(source, source.copy, now) : 'There is no login'
    case 'off':
      return `Not looked at: ${LEFT_BECAUSE[source.because ?? 'config']}`
    case 'fault':
      return source.fault?.noCopy ? 'Nothing was taken over' : `${profile} was left as it is`
    default:
      return source.outcome satisfies never
  }
}

/** What would take the login in that was left alone. Undefined: it is in order so. */
export function keptHint({ outcome, because, profile, origin }: SyncedSource): string | undefined {
  if (outcome !== 'kept' || because !== 'own_token') return undefined
  const provider = providerOf(profile)
  return `To use the login of ${OWNER_NAMES[origin]}, forget yours: equabot models auth remove ${profile}. To have both, store yours under another name first: equabot models auth paste-token --provider ${provider} --profile-id ${provider}:own`
}

/** What is left of a login that its owner does not have any more. */
function orphanWords(
  { profile, origin }: SyncedSource,
  { expiresAt }: NonNullable<SyncedSource['copy']>,
  now: EpochMs,
): string {
  const held = `There is no login any more. The copy of its access in ${profile}`
  const again = `cannot be renewed. Log in there again: ${OWNER_LOGIN[origin]}`
  if (expiresAt === undefined)
    return `${held} serves as long as the provider takes it, and ${again}`
  return expiresAt > now
    ? `${held} serves until ${dateText(expiresAt)} (${relative(expiresAt, now)}) and ${again}`
    : `${held} ended ${relative(expiresAt, now)} (${dateText(expiresAt)}) and ${again}`
}

/** Said where no program of this user has a login. */
export const NO_FOREIGN_LOGIN =
  'claude setup-token prints its token and stores nothing, so it cannot be found here. Paste it: equabot models auth paste-token --provider anthropic --expires-in 365d'

const LEFT_BECAUSE: Readonly<Record<KeptBecause | 'config' | 'environment', string>> = {
  stored_newer: 'what is stored ends later',
  own_token: 'it holds a credential that you stored yourself',
  no_downgrade: 'what is stored can be renewed, and the login there cannot',
  config: 'it is switched off in the config',
  environment: 'EQUABOT_FOREIGN_LOGINS=0 switches all of them off',
}

function loginWords(login: SyncedSource['login'], now: EpochMs): string {
  if (!login) return 'a login'
  const { type, expiresAt, email } = login
  const ends =
    expiresAt === undefined
      ? 'no end known'
      : `${expiresAt > now ? 'access ends' : 'access ended'} ${relative(expiresAt, now)} (${dateText(expiresAt)})`
  return [type, ...(email === undefined ? [] : [email]), ends].join(', ')
}
