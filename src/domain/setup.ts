/** Programs that can be pointed at the gateway, and what each of them needs to know for it. */

import type { ClientFault } from './fault-client.ts'
import type { StoreFault } from './fault.ts'
import type { ClientName } from './names.ts'
import type { Protocol } from './provider.ts'
import type { Result } from './result.ts'

/** Programs with a settings file of their own. */
export const CONFIGURED_PROGRAMS = ['claude-code', 'codex', 'opencode'] as const
export type ConfiguredProgram = (typeof CONFIGURED_PROGRAMS)[number]

export const SETUP_PROGRAMS = ['claude-code', 'codex', 'opencode', 'sdk', 'curl'] as const
export type SetupProgram = (typeof SETUP_PROGRAMS)[number]

export function isConfigured(program: SetupProgram): program is ConfiguredProgram {
  return CONFIGURED_PROGRAMS.some((name) => name === program)
}

/** A model that a program may be told of. */
export interface OfferedModel {
  /** `provider/model`. */
  readonly id: string
  readonly title: string
  readonly protocol: Protocol
}

/** What settings are made of. The key itself is never among it, only where its copy stands. */
export interface SetupFacts {
  /** Where the gateway is, without a slash at the end. */
  readonly url: string
  readonly client: ClientName
  readonly keyPath: string
  readonly models: readonly OfferedModel[]
}

/** Why a program's settings are left alone. */
export type SetupProblem = Pick<
  Extract<ClientFault, { code: 'EQ_SETUP_UNSAFE' }>,
  'problem' | 'field'
>

/**
 * A program's settings changed so that it uses the gateway. The same text: they say so already.
 *
 * @param text undefined: there are none yet
 */
export type EditProgramConfig = (
  program: ConfiguredProgram,
  text: string | undefined,
  facts: SetupFacts,
) => Result<string, SetupProblem>

/** Settings files of other programs of this user. */
export interface ProgramConfigs {
  /** Where a program looks for its settings. @faults `EQ_SETUP_UNSAFE` in either of two places, `EQ_HOME_MISSING` */
  find(program: ConfiguredProgram): Promise<Result<string, ClientFault | StoreFault>>
  /** What stands there; undefined when there is no file. */
  read(path: string): Promise<Result<string | undefined, StoreFault>>
  /**
   * Changes a file and keeps a copy of what it was.
   *
   * @returns the path of the copy; undefined when there was no file, or nothing to change
   */
  edit(
    path: string,
    change: (text: string | undefined) => Result<string, ClientFault>,
  ): Promise<
    Result<{ readonly changed: boolean; readonly backup?: string }, ClientFault | StoreFault>
  >
}
