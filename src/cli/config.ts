/** `equabot config`: reads and changes `equabot.json`. Comments and order of the file survive a change. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { LoadedSettings } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { olderSpellingWords } from '../domain/wording.ts'
import type { App } from '../services/app.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { formatConfigPath, parseConfigPath, valueAt, withValueAt } from './config-path.ts'
import { examples } from './help.ts'
import { lines } from './layout.ts'
import JSON5 from 'json5'
import { secretsIn } from '../wire/settings-secrets.ts'

const MASK = '[secret]'
const PLACE = 'such as gateway.port; a name with dots goes in quotes: models.providers["my.host"]'

export function addConfigCommands(program: Command, context: CommandContext): void {
  const config = program.command('config').description('Read, change and check equabot.json')
  addReaders(config, context)
  examples(
    config
      .command('set')
      .argument('<path>', PLACE)
      .argument('<value>', 'JSON5, or plain text')
      .description('Set one value. Secrets are refused: they belong in the .env file')
      .option('--json', 'print JSON')
      .action(appAction(context, set)),
    [
      ['equabot config set gateway.port 18790'],
      ['equabot config set agents.defaults.model anthropic/claude-sonnet-5-5'],
      [`equabot config set 'models.providers["my.host"].baseUrl' https://my.host/v1`],
    ],
  )
  examples(
    config
      .command('unset')
      .argument('<path>', PLACE)
      .description('Remove one value, so that its default counts again')
      .option('--json', 'print JSON')
      .action(appAction(context, unset)),
    [['equabot config unset gateway.port']],
  )
}

function addReaders(config: Command, context: CommandContext): void {
  examples(
    config
      .command('get')
      .argument('[path]', `${PLACE}; the whole file when left out`)
      .description('Print a value as it stands in the file; secrets in it are masked')
      .option('--json', 'print JSON')
      .action(appAction(context, get)),
    [['equabot config get'], ['equabot config get gateway.port']],
  )
  examples(
    config
      .command('validate')
      .description('Check the file: say that it is good, or name the line and field that is not')
      .option('--json', 'print JSON')
      .action(appAction(context, validate)),
    [['equabot config validate']],
  )
  examples(
    config
      .command('path')
      .description('Print the path of the file')
      .option('--json', 'print JSON')
      .action(appAction(context, path)),
    [['$EDITOR "$(equabot config path)"']],
  )
}

async function get(app: App, typed: string | undefined): Promise<Result<Output, Fault>> {
  const steps = typed === undefined ? ok([]) : parseConfigPath(typed)
  if (!steps.ok) return steps
  const loaded = await app.settings.read()
  if (!loaded.ok) return loaded
  const value = valueAt(masked(loaded.value), steps.value)
  if (value === undefined) return fail(notSet(loaded.value.path, steps.value))
  return ok({ text: valueText(value), json: value })
}

async function set(app: App, typed: string, text: string): Promise<Result<Output, Fault>> {
  const steps = parseConfigPath(typed)
  if (!steps.ok) return steps
  const value = typedValue(text)
  const edited = await app.settings.edit(() => [{ path: steps.value, value }])
  if (!edited.ok) return edited
  const written = valueAt(masked(edited.value), steps.value)
  const field = formatConfigPath(steps.value)
  return ok({
    text: `${field} is now ${valueText(written)} in ${app.show(edited.value.path)}`,
    json: { path: edited.value.path, field, value: written },
  })
}

async function unset(app: App, typed: string): Promise<Result<Output, Fault>> {
  const steps = parseConfigPath(typed)
  if (!steps.ok) return steps
  const loaded = await app.settings.read()
  if (!loaded.ok) return loaded
  if (valueAt(loaded.value.raw, steps.value) === undefined) {
    return fail(notSet(loaded.value.path, steps.value))
  }
  const edited = await app.settings.edit(() => [{ path: steps.value, value: undefined }])
  if (!edited.ok) return edited
  const field = formatConfigPath(steps.value)
  return ok({
    text: `${field} is no longer set in ${app.show(edited.value.path)}`,
    json: { path: edited.value.path, field },
  })
}

async function validate(app: App): Promise<Result<Output, Fault>> {
  const loaded = await app.settings.read()
  if (!loaded.ok) return loaded
  const { path: file, exists, migrated } = loaded.value
  const secrets = secretPlaces(loaded.value).map(formatConfigPath)
  return ok({
    text: validText(app, loaded.value, secrets),
    json: { ok: true, path: file, exists, migrated, secrets },
  })
}

function validText(app: App, loaded: LoadedSettings, secrets: readonly string[]): string {
  const file = app.show(loaded.path)
  return lines(
    loaded.exists ? `${file} is valid` : `${file} does not exist; the defaults count`,
    ...loaded.migrated.map((field) => `${field} ${olderSpellingWords()}`),
    ...secrets.map((field) => `${field} holds a secret in the open; move it to the .env file`),
  )
}

async function path(app: App): Promise<Result<Output, Fault>> {
  const file = app.settings.path()
  return ok({ text: file, json: { path: file } })
}

/** JSON5 where it is that, else the text itself. */
function typedValue(text: string): unknown {
  try {
    const value: unknown = JSON5.parse(text)
    return typeof value === 'number' && !Number.isFinite(value) ? text : value
  } catch {
    return text
  }
}

function masked(loaded: LoadedSettings): unknown {
  const places = secretPlaces(loaded)
  return places.reduce<unknown>((data, place) => withValueAt(data, place, MASK), loaded.raw)
}

function secretPlaces(loaded: LoadedSettings): readonly (readonly string[])[] {
  return secretsIn(loaded.raw).map((field) => field.path)
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2)
}

function notSet(file: string, steps: readonly string[]): Fault {
  return { code: 'EQ_CONFIG_KEY_UNSET', path: file, field: formatConfigPath(steps) }
}
