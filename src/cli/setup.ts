/** `equabot setup`: what a program needs to use the gateway, printed or done. */

import type { Command } from 'commander'
import { Argument } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import type { SetupProgram } from '../domain/setup.ts'
import { SETUP_PROGRAMS } from '../domain/setup.ts'
import {
  configWords,
  doAllWords,
  doneWords,
  keyWords,
  PLAIN_KEY_NOTE,
  PROGRAM_TITLES,
  whereWords,
} from '../domain/wording-setup.ts'
import type { App } from '../services/app.ts'
import type { SetupDone, SetupPlan } from '../services/setup.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout, lines, sections } from './layout.ts'
import type { Snippet } from './setup-snippets.ts'
import { snippetsFor } from './setup-snippets.ts'

interface SetupOptions {
  readonly client?: string
  readonly write?: boolean
}

export function addSetupCommand(program: Command, context: CommandContext): void {
  const layout = createLayout(context.terminal)
  examples(
    program
      .command('setup')
      .addArgument(new Argument('<program>', 'what is to use the gateway').choices(SETUP_PROGRAMS))
      .description('Show what a program needs to use the gateway, or set it up with --write')
      .option('--client <name>', 'with the key of this client (default: one of its own)')
      .option('--write', "make the key and change the program's settings file; keeps a copy of it")
      .option('--json', 'print JSON')
      .action(
        appAction(context, (app, name: SetupProgram, options: SetupOptions) =>
          options.write ? setUp(app, name, options) : show(app, layout, name, options),
        ),
      ),
    [
      ['equabot setup claude-code'],
      ['equabot setup codex --write', 'makes a key for it and edits ~/.codex/config.toml'],
      ['equabot setup curl --client laptop'],
    ],
  )
}

async function show(
  app: App,
  layout: Layout,
  program: SetupProgram,
  { client }: SetupOptions,
): Promise<Result<Output, Fault>> {
  const setups = await app.openSetups()
  const planned = await setups.plan(program, client)
  if (!planned.ok) return planned
  const plan = planned.value
  const place = app.show(plan.keyPath)
  const snippets = snippetsFor(plan, place)
  const { config } = plan
  return ok({
    text: sections(
      lines(
        layout.heading(PROGRAM_TITLES[program]),
        layout.facts(
          [
            ['Gateway', whereWords(plan.url, plan.running)],
            ['Key', keyWords(plan.client, place, plan.hasKey)],
          ],
          { indent: 2 },
        ),
      ),
      config ? lines(configWords(app.show(config.path)), '', config.text.trimEnd()) : '',
      ...snippets.map(({ title, text }) => lines(`${title}:`, '', text)),
      program === 'curl' ? layout.paint('dim', PLAIN_KEY_NOTE) : '',
      plan.hasKey && !config ? '' : doAllWords(program, config !== undefined, client),
    ),
    json: planJson(plan, snippets),
  })
}

async function setUp(
  app: App,
  program: SetupProgram,
  { client }: SetupOptions,
): Promise<Result<Output, Fault>> {
  const setups = await app.openSetups()
  const written = await setups.write(program, client)
  if (!written.ok) return written
  const done = written.value
  const place = app.show(done.keyPath)
  const snippets = done.config ? [] : snippetsFor(done, place)
  const facts = {
    title: PROGRAM_TITLES[program],
    client: done.client,
    keyPlace: place,
    madeClient: done.madeClient,
    ...(done.config && { configPlace: app.show(done.config.path) }),
    ...(done.written && { changed: done.written.changed }),
    ...(done.written?.backup !== undefined && { backup: app.show(done.written.backup) }),
  }
  return ok({
    text: sections(
      lines(...doneWords(facts), `  ${whereWords(done.url, done.running)}`),
      ...snippets.map(({ title, text }) => lines(`${title}:`, '', text)),
    ),
    json: { ...planJson(done, snippets), ...doneJson(done) },
  })
}

function planJson(plan: SetupPlan, snippets: readonly Snippet[]): object {
  const { program, url, running, client, keyPath, hasKey, config } = plan
  return {
    program,
    url,
    running,
    client,
    keyPath,
    hasKey,
    ...(config && { config }),
    snippets,
  }
}

function doneJson({ madeClient, written }: SetupDone): object {
  return { madeClient, ...(written && { written }) }
}
