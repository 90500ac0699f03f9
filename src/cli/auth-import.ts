/** `equabot models auth import`: the logins of an older tool, read from its files and reported one by one. */

import type { Command } from 'commander'
import { explain } from '../domain/explain.ts'
import { keptWords, notImportedWords, ONE_OWNER_WORDS } from '../domain/explain-import.ts'
import type { Fault } from '../domain/fault.ts'
import type { ProfileId, ProviderId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import { SANDBOX } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { isReserved } from '../domain/world.ts'
import type { App } from '../services/app.ts'
import type { ImportedEntry } from '../services/import-plan.ts'
import type { Outcome } from '../services/import-verdict.ts'
import type { ImportOrder, ImportReport } from '../services/import.ts'
import { faultJson } from '../wire/fault-json.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { confirmed, NOT_DONE } from './confirmed.ts'
import { examples } from './help.ts'
import type { Layout, Role } from './layout.ts'
import { createLayout, lines, sections } from './layout.ts'
import type { Terminal } from './terminal.ts'
import { givenProfile, typedAgent } from './typed-names.ts'

interface Options {
  readonly agent?: string
  readonly dryRun?: boolean
  readonly replace?: boolean
  readonly profileId?: string
  readonly yes?: boolean
}

export function addImportCommand(auth: Command, context: CommandContext): void {
  const command = auth
    .command('import')
    .description('Take over the logins of an older tool; its own files are only read')
    .argument('<path>', 'its state folder, or one auth-profiles.json, auth.json or oauth.json')
    .option('--agent <id>', 'put them into the book of this agent')
    .option('--profile-id <id>', 'name for the login, where exactly one is to be imported')
    .option('--dry-run', 'say what would be done, and write nothing')
    .option('--replace', 'take the imported credential where a name holds another one here')
    .option('--yes', 'with --replace: do not ask')
    .option('--json', 'print JSON')
    .addHelpText('after', `\n${HOW_IT_ENDS}`)
    .action(
      appAction(context, (app, path: string, options: Options) =>
        importLogins(app, context.terminal, path, options),
      ),
    )
  examples(command, [
    ['equabot models auth import ~/.older-tool --dry-run', 'what would come, and what would not'],
    ['equabot models auth import ~/.older-tool'],
    ['equabot models auth import ~/.local/share/opencode/auth.json'],
    ['equabot models auth import ~/old/auth.json --profile-id work', 'under a name of its own'],
  ])
}

const HOW_IT_ENDS = `Where two logins of one import have one name, the second one is called
<name>-<type>, such as anthropic:default-api_key. A name that holds another
credential here already keeps it: give the imported one its own with --profile-id.

Ends with 0 when a login was taken, or is here already; 1 when nothing that was
found could be taken; 64 or more when it could not look. The same with --dry-run.`

async function importLogins(
  app: App,
  terminal: Terminal,
  path: string,
  options: Options,
): Promise<Result<Output, Fault>> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const name = options.profileId
  // Wrong for any provider is wrong, also where nothing is left to be named.
  const plain = name === undefined ? ok() : givenProfile(name, SANDBOX)
  if (!plain.ok) return plain
  const order: ImportOrder = {
    ...(name !== undefined && { nameFor: (provider) => nameOfLogin(name, provider) }),
    ...(agent.value !== undefined && { agent: agent.value }),
    path,
    replace: options.replace ?? false,
    prompting: terminal.interactive,
  }
  if (options.dryRun || order.replace) {
    const rehearsed = await app.imports.rehearse(order)
    if (!rehearsed.ok) return rehearsed
    if (options.dryRun) return ok(output(rehearsed.value, true, app, terminal))
    const agreed = await mayReplace(rehearsed.value, terminal, options.yes)
    if (!agreed.ok) return agreed
    if (!agreed.value) return NOT_DONE
  }
  const imported = await app.imports.run(order)
  return imported.ok ? ok(output(imported.value, false, app, terminal)) : imported
}

/** @faults `EQ_NAME_INVALID`, `EQ_PROFILE_FOREIGN`, `EQ_PROFILE_RESERVED` */
function nameOfLogin(text: string, provider: ProviderId): Result<ProfileId, Fault> {
  const typed = givenProfile(text, provider)
  if (!typed.ok) return typed
  const profile = typed.value
  if (providerOf(profile) !== provider) {
    return fail({ code: 'EQ_PROFILE_FOREIGN', profile, provider })
  }
  return isReserved(profile) ? fail({ code: 'EQ_PROFILE_RESERVED', profile }) : ok(profile)
}

/** Adding takes nothing away and asks nothing; replacing does. */
async function mayReplace(
  { entries }: ImportReport,
  terminal: Terminal,
  yes: boolean | undefined,
): Promise<Result<boolean, Fault>> {
  const replaced = entries.filter(({ outcome }) => outcome.kind === 'replaced')
  if (replaced.length === 0) return ok(true)
  const names = replaced.map(({ profile }) => profile ?? '').join(', ')
  return confirmed(
    terminal,
    yes,
    `Replace ${names}? What they hold now stays only in the copy that is made.`,
    `${names} would be replaced`,
  )
}

function output(report: ImportReport, rehearsal: boolean, app: App, terminal: Terminal): Output {
  const { entries, files } = report
  const fault = files.find((file) => file.fault)?.fault
  return {
    text: importScreen(report, rehearsal, app, createLayout(terminal)),
    json: {
      ...report,
      dryRun: rehearsal,
      files: files.map((file) => ({
        path: file.path,
        ...(file.fault && { error: faultJson(file.fault) }),
      })),
      entries: entries.map((entry) => ({
        ...entry,
        outcome: entry.outcome.kind,
        ...('why' in entry.outcome && {
          why: { ...entry.outcome.why, words: whyWords(entry.outcome) },
        }),
      })),
    },
    exit: fault ? explain(fault).exit : entries.some(isHere) ? 0 : 1,
  }
}

/** It was taken, or needed not be. */
function isHere({ outcome }: ImportedEntry): boolean {
  if (outcome.kind === 'skipped') return outcome.why.code === 'stands_elsewhere'
  return outcome.kind !== 'kept'
}

function importScreen(
  { entries, files, orders, changes, backup, bookPath }: ImportReport,
  rehearsal: boolean,
  app: App,
  layout: Layout,
): string {
  const came = entries.filter(({ outcome }) => /^(?:added|replaced)$/.test(outcome.kind))
  const head = ['Login', 'Type', 'Fingerprint', rehearsal ? 'Would be' : 'Is', 'From']
  const rows = entries.map((entry) => entryRow(entry, app, layout))
  const whys = entries.flatMap((entry) => {
    const words = whyWords(entry.outcome)
    return words === ''
      ? []
      : [layout.paragraph(`${entry.profile ?? entry.name}: ${words}`, { indent: 4, first: '  ' })]
  })
  const unread = files.flatMap(({ path, fault }) =>
    fault ? [`  ${layout.paint('bad', app.show(path))}: ${explain(fault).message}`] : [],
  )
  return sections(
    entries.length > 0 ? layout.table([head.map(layout.heading), ...rows]) : '',
    whys.length > 0 ? lines(layout.heading('Left out'), ...whys) : '',
    unread.length > 0 ? lines(layout.heading('Not read'), ...unread) : '',
    lines(
      layout.facts([
        ['Book', app.show(bookPath)],
        ...(backup === undefined ? [] : [['Copy', app.show(backup)] as const]),
        ...(orders.length > 0 ? [['Order', `taken over for ${orders.join(', ')}`] as const] : []),
      ]),
      came.some(({ renewable }) => renewable) ? layout.paint('warn', ONE_OWNER_WORDS) : '',
      changes ? '' : nothingWords(entries, rehearsal),
      rehearsal ? 'Nothing was written: this was a dry run' : '',
      rehearsal && changes ? 'Next: the same without --dry-run' : 'Next: equabot models status',
    ),
  )
}

function nothingWords(entries: readonly ImportedEntry[], rehearsal: boolean): string {
  const head = rehearsal ? 'Nothing would be changed' : 'Nothing was changed'
  return entries.every(isHere) ? `${head}: all of it is here already` : head
}

function entryRow(entry: ImportedEntry, app: App, layout: Layout): readonly string[] {
  const { kind } = entry.outcome
  return [
    layout.paint('strong', entry.profile ?? entry.name),
    entry.type ?? '-',
    entry.fingerprint ?? '-',
    layout.paint(OUTCOME_ROLES[kind], OUTCOME_WORDS[kind]),
    layout.paint('dim', app.show(entry.from)),
  ]
}

const OUTCOME_WORDS: Readonly<Record<Outcome['kind'], string>> = {
  added: 'added',
  replaced: 'replaced',
  same: 'here already',
  kept: 'not taken',
  skipped: 'skipped',
}
const OUTCOME_ROLES: Readonly<Record<Outcome['kind'], Role>> = {
  added: 'good',
  replaced: 'good',
  same: 'dim',
  kept: 'warn',
  skipped: 'warn',
}

function whyWords(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'kept':
      return keptWords(outcome.why)
    case 'skipped':
      return notImportedWords(outcome.why)
    case 'added':
    case 'replaced':
    case 'same':
      return ''
    default:
      return outcome satisfies never
  }
}
