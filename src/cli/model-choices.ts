/** `equabot models aliases` and `equabot models fallbacks`. */

import type { Command } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import { createLayout } from './layout.ts'

export function addAliasCommands(models: Command, context: CommandContext): void {
  const layout = createLayout(context.terminal)
  const aliases = models.command('aliases').description('Short names for models')
  examples(aliases, [
    ['equabot models aliases list'],
    ['equabot models aliases add opus anthropic/claude-opus-5'],
  ])

  const list = aliases
    .command('list', { isDefault: true })
    .description('Every alias and its model')
    .option('--json', 'print JSON')
    .action(
      appAction(context, async (app) => {
        const listed = await app.modelSettings.aliases()
        if (!listed.ok) return listed
        const rows = listed.value.map(({ alias, model }) => [alias, model])
        return ok({
          text: rows.length > 0 ? layout.table(rows) : layout.paint('dim', 'No aliases'),
          json: { aliases: listed.value },
        })
      }),
    )
  examples(list, [['equabot models aliases list'], ['equabot models aliases list --json']])

  const add = aliases
    .command('add')
    .description('Give a model a short name')
    .argument('<alias>')
    .argument('<model>', 'provider/model')
    .option('--json', 'print JSON')
    .action(
      appAction(context, async (app, alias: string, model: string) => {
        const added = await app.modelSettings.addAlias(alias, model)
        if (!added.ok) return added
        return ok({ text: `${added.value.alias} -> ${added.value.model}`, json: added.value })
      }),
    )
  examples(add, [['equabot models aliases add opus anthropic/claude-opus-5']])

  const remove = aliases
    .command('remove')
    .description('Forget a short name')
    .argument('<alias>')
    .option('--json', 'print JSON')
    .action(
      appAction(context, async (app, alias: string) => {
        const removed = await app.modelSettings.removeAlias(alias)
        if (!removed.ok) return removed
        const { alias: name, model } = removed.value
        return ok({ text: `Removed ${name} (it stood for ${model})`, json: removed.value })
      }),
    )
  examples(remove, [['equabot models aliases remove opus']])
}

export function addFallbackCommands(models: Command, context: CommandContext): void {
  const fallbacks = models
    .command('fallbacks')
    .description('Models that are tried, in order, when the default cannot serve')
  examples(fallbacks, [
    ['equabot models fallbacks list'],
    ['equabot models fallbacks add openai/gpt-5.1'],
  ])

  const list = fallbacks
    .command('list', { isDefault: true })
    .description('The fallbacks in order')
    .option('--json', 'print JSON')
    .action(appAction(context, async (app) => chainOutput(await app.modelSettings.fallbacks())))
  examples(list, [['equabot models fallbacks list'], ['equabot models fallbacks list --json']])

  const add = fallbacks
    .command('add')
    .description('Put a model at the end of the fallbacks')
    .argument('<model>', 'provider/model, or an alias')
    .option('--json', 'print JSON')
    .action(
      appAction(context, async (app, model: string) =>
        chainOutput(await app.modelSettings.addFallback(model)),
      ),
    )
  examples(add, [['equabot models fallbacks add openai/gpt-5.1']])

  const remove = fallbacks
    .command('remove')
    .description('Take a model out of the fallbacks')
    .argument('<model>', 'provider/model, or an alias')
    .option('--json', 'print JSON')
    .action(
      appAction(context, async (app, model: string) =>
        chainOutput(await app.modelSettings.removeFallback(model)),
      ),
    )
  examples(remove, [['equabot models fallbacks remove openai/gpt-5.1']])

  const clear = fallbacks
    .command('clear')
    .description('Have no fallbacks')
    .option('--json', 'print JSON')
    .action(
      appAction(context, async (app) => chainOutput(await app.modelSettings.clearFallbacks())),
    )
  examples(clear, [['equabot models fallbacks clear']])
}

/** Every command says what the fallbacks are now. */
function chainOutput(changed: Result<readonly string[], Fault>): Result<Output, Fault> {
  if (!changed.ok) return changed
  const rows = changed.value.map((model, index) => `${index + 1}. ${model}`)
  return ok({
    text: rows.length > 0 ? rows.join('\n') : 'No fallbacks',
    json: { fallbacks: changed.value },
  })
}
