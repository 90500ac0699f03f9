/** `equabot models auth sync`: takes over the logins of other programs, and tells what changed and what did not. */

import type { Command } from 'commander'
import type { SyncedSource } from '../domain/adoption.ts'
import { explain } from '../domain/explain.ts'
import { keptHint, NO_FOREIGN_LOGIN, OWNER_NAMES, syncedWords } from '../domain/explain-foreign.ts'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { tellFault } from '../domain/telling.ts'
import type { EpochMs } from '../domain/time.ts'
import type { App } from '../services/app.ts'
import { syncedJson } from '../wire/sync-json.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout, lines, sections } from './layout.ts'
import type { Role } from './layout.ts'

export function addSyncCommand(auth: Command, context: CommandContext): void {
  const { terminal } = context
  const sync = auth
    .command('sync')
    .description('Take over the logins that Claude Code and Codex have now')
    .option('--json', 'print JSON')
    .addHelpText('after', `\n${HOW_IT_ENDS}`)
    .action(
      appAction(context, (app) =>
        syncLogins(app, createLayout(terminal), { prompting: terminal.interactive }),
      ),
    )
  examples(sync, [
    ['equabot models auth sync', 'what changed, and what did not'],
    ['equabot models auth sync --json'],
    ['EQUABOT_FOREIGN_LOGINS=0 equabot models status', 'leave them all alone'],
  ])
}

const HOW_IT_ENDS = `Ends with 0 when every login there is was taken over, is here already, or was left
out on purpose; 1 when its owner has logged out; 65 when its file cannot be read as a
login; 75 when something else holds it up; 77 when it may not be read, or the book not
be written.`

async function syncLogins(
  app: App,
  layout: Layout,
  options: { readonly prompting: boolean },
): Promise<Result<Output, Fault>> {
  const { sources, changed, fault } = await app.foreign.adopt(options)
  if (fault) return fail(fault)
  const now = app.clock.now()
  const hasNone = sources.every(({ outcome }) => outcome === 'absent')
  return ok({
    text: sections(
      ...sources.map((source) => sourceBlock(source, app, layout, now)),
      hasNone ? layout.paragraph(NO_FOREIGN_LOGIN) : '',
    ),
    json: { changed, sources: sources.map(syncedJson) },
    exit: exitOf(sources, now),
  })
}

/** That of the first login that could not be taken over, as docs/errors.md has it. */
function exitOf(sources: readonly SyncedSource[], now: EpochMs): number {
  const fault = sources.find(({ outcome }) => outcome === 'fault')?.fault
  return fault ? explain(fault, now).exit : 0
}

const ROLES: Readonly<Record<SyncedSource['outcome'], Role>> = {
  added: 'good',
  updated: 'good',
  same: 'good',
  kept: 'warn',
  absent: 'dim',
  off: 'dim',
  fault: 'bad',
}

function sourceBlock(source: SyncedSource, app: App, layout: Layout, now: EpochMs): string {
  const wrong = source.fault ?? source.remark
  const told = wrong && tellFault(wrong, { show: app.show, now })
  const indented = (text: string): string =>
    text === '' ? '' : layout.paragraph(text, { indent: 2, first: '  ' })
  return lines(
    `${layout.heading(OWNER_NAMES[source.origin])}  ${layout.paint('dim', app.show(source.place))}`,
    indented(layout.paint(source.copy ? 'warn' : ROLES[source.outcome], syncedWords(source, now))),
    indented(keptHint(source) ?? ''),
    indented(told?.message ?? ''),
    indented(told?.fix ?? ''),
  )
}
