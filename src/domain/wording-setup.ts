/** How a program is pointed at the gateway, in a user's words. */

import type { SetupProgram } from './setup.ts'

export const PROGRAM_TITLES: Readonly<Record<SetupProgram, string>> = {
  'claude-code': 'Claude Code',
  codex: 'Codex',
  opencode: 'opencode',
  sdk: 'The SDKs',
  curl: 'curl',
}

export function whereWords(url: string, isRunning: boolean): string {
  return isRunning ? url : `${url} (no gateway is running; start it: equabot gateway run)`
}

export function keyWords(client: string, place: string, hasKey: boolean): string {
  return hasKey
    ? `that of client ${client}, in ${place}`
    : `of its own. Make it: equabot clients add ${client} --keep`
}

export function configWords(place: string): string {
  return `Put this into ${place}:`
}

export function doAllWords(program: SetupProgram, hasConfig: boolean, client?: string): string {
  const named = client === undefined ? '' : ` --client ${client}`
  const command = `equabot setup ${program}${named} --write`
  return hasConfig ? `Or let Equabot do it: ${command}` : `Make the key: ${command}`
}

/** What was done, one line each. */
export function doneWords(done: {
  readonly title: string
  readonly client: string
  readonly keyPlace: string
  readonly madeClient: boolean
  readonly configPlace?: string
  readonly changed?: boolean
  readonly backup?: string
}): readonly string[] {
  const { title, client, keyPlace, madeClient, configPlace, changed, backup } = done
  return [
    madeClient
      ? `Made a key for client ${client}, kept in ${keyPlace}`
      : `The key of client ${client} is in ${keyPlace}`,
    ...(configPlace === undefined
      ? []
      : [
          changed
            ? `Changed ${configPlace}: ${title} asks Equabot from its next start`
            : `${configPlace} says so already; nothing was changed`,
        ]),
    ...(backup === undefined ? [] : [`What it was before is in ${backup}`]),
  ]
}

export const PLAIN_KEY_NOTE =
  'The key goes in by standard input, so that it stands in no command line that others can see'
