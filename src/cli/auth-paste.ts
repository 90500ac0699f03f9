/** `equabot models auth paste-token` and `add`: a secret comes in by a hidden prompt or standard input, never by argument. */

import type { Command } from 'commander'
import { Option } from 'commander'
import type { Fault } from '../domain/fault.ts'
import type { AgentId, ProfileId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type { ProviderFacts } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { EpochMs } from '../domain/time.ts'
import { dateText, inWords, parseDuration } from '../domain/time.ts'
import { credentialCommand } from '../domain/wording.ts'
import { isReserved } from '../domain/world.ts'
import type { App } from '../services/app.ts'
import { findProvider } from '../services/lookup.ts'
import type { StoredSecret } from '../services/vault.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import { createLayout, lines } from './layout.ts'
import type { Terminal } from './terminal.ts'
import { typedAgent, typedProfile } from './typed-names.ts'

interface PasteOptions {
  readonly provider: string
  readonly profileId?: string
  readonly expiresIn?: string
  readonly type?: 'api_key' | 'token'
  readonly agent?: string
}

export function addPasteCommands(auth: Command, context: CommandContext): void {
  const paste = withPasteOptions(
    auth
      .command('paste-token')
      .description('Store a key or token; asks without echo, or reads all of standard input')
      .requiredOption('--provider <id>', 'whose key or token it is'),
  ).action(
    appAction(context, (app, options: PasteOptions) => pasteToken(app, context.terminal, options)),
  )
  examples(paste, [
    ['equabot models auth paste-token --provider anthropic'],
    ['equabot models auth paste-token --provider openrouter --profile-id work < key.txt'],
    ['equabot models auth paste-token --provider anthropic --expires-in 365d'],
  ])

  const add = withPasteOptions(
    auth.command('add').description('Choose a provider, then paste its key or token'),
  ).action(
    appAction(context, (app, options: Omit<PasteOptions, 'provider'>) =>
      addLogin(app, context.terminal, options),
    ),
  )
  examples(add, [['equabot models auth add'], ['equabot models auth add --agent research']])
}

function withPasteOptions(command: Command): Command {
  return command
    .option('--profile-id <id>', 'name of the profile, such as work or anthropic:work')
    .option('--expires-in <time>', 'when a token ends, such as 365d or 12h')
    .addOption(
      new Option('--type <type>', 'what it is, where its shape does not tell').choices([
        'api_key',
        'token',
      ]),
    )
    .option('--agent <id>', 'put it into the book of this agent')
    .option('--json', 'print JSON')
}

/** Everything is checked that can be before the secret is asked for. */
async function pasteToken(
  app: App,
  terminal: Terminal,
  options: PasteOptions,
): Promise<Result<Output, Fault>> {
  const asked = await checkOptions(app, options)
  if (!asked.ok) return asked
  const { facts, agent, profile, expiresInMs } = asked.value
  const text = terminal.inputIsTerminal
    ? await terminal.askSecret(
        `Paste the key or token for ${facts.title} (it will not be shown)`,
        `Pipe it in: ${credentialCommand(facts.id)} < file`,
      )
    : await terminal.readInput()
  if (!text.ok) return text
  const stored = await app.vault.storeSecret({
    provider: facts.id,
    text: text.value,
    ...(agent !== undefined && { agent }),
    ...(profile !== undefined && { profile }),
    ...(options.type !== undefined && { type: options.type }),
    ...(expiresInMs !== undefined && { expiresInMs }),
  })
  if (!stored.ok) return stored
  return ok({ text: storedScreen(stored.value, app, terminal, expiresInMs), json: stored.value })
}

async function addLogin(
  app: App,
  terminal: Terminal,
  options: Omit<PasteOptions, 'provider'>,
): Promise<Result<Output, Fault>> {
  const instead = `Run: ${credentialCommand('<provider>')} < file`
  if (!terminal.interactive) return fail({ code: 'EQ_PROMPT_NO_TTY', instead })
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const world = await app.loadWorld(agent.value)
  if (!world.ok) return world
  const providers = [...world.value.providers.values()].map((facts) => ({
    value: facts.id,
    label: facts.keysPage === undefined ? facts.title : `${facts.title} (${facts.keysPage})`,
  }))
  const provider = await terminal.choose('Which provider?', providers, instead)
  if (!provider.ok) return provider
  return pasteToken(app, terminal, { ...options, provider: provider.value })
}

interface Asked {
  readonly facts: ProviderFacts
  readonly agent: AgentId | undefined
  readonly profile: ProfileId | undefined
  readonly expiresInMs: number | undefined
}

async function checkOptions(app: App, options: PasteOptions): Promise<Result<Asked, Fault>> {
  const { expiresIn, type } = options
  if (type === 'api_key' && expiresIn !== undefined) {
    const detail = '--expires-in is for tokens; an api_key has no end of its own'
    return fail({ code: 'EQ_USAGE', detail, command: 'equabot models auth paste-token' })
  }
  const expiresInMs = expiresIn === undefined ? undefined : parseDuration(expiresIn)
  if (expiresIn !== undefined && expiresInMs === undefined) {
    return fail({ code: 'EQ_DURATION_INVALID', text: expiresIn })
  }
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const found = await findProvider(app.loadWorld, agent.value, options.provider)
  if (!found.ok) return found
  const { world, facts } = found.value
  const book = await app.profiles.read(world.agent)
  if (!book.ok) return book
  const profile = typedProfile(options.profileId, facts.id)
  if (!profile.ok) return profile
  if (profile.value && providerOf(profile.value) !== facts.id) {
    return fail({ code: 'EQ_PROFILE_FOREIGN', profile: profile.value, provider: facts.id })
  }
  if (profile.value && isReserved(profile.value)) {
    return fail({ code: 'EQ_PROFILE_RESERVED', profile: profile.value })
  }
  return ok({ facts, agent: agent.value, profile: profile.value, expiresInMs })
}

function storedScreen(
  stored: StoredSecret,
  app: App,
  terminal: Terminal,
  expiresInMs: number | undefined,
): string {
  const layout = createLayout(terminal)
  const { expiresAt, orderChanged } = stored
  return lines(
    `${stored.replaced ? 'Replaced' : 'Stored'} ${layout.paint('strong', stored.profile)}`,
    layout.facts(
      [
        ['Type', stored.type],
        ['Fingerprint', stored.fingerprint],
        ['Ends', endText(expiresAt, expiresInMs)],
        ['Book', app.show(stored.bookPath)],
        ['Config', app.show(stored.configPath)],
        ...(orderChanged === undefined ? [] : [['Order', ORDER_WORDS[orderChanged]] as const]),
        ...(stored.unfamiliar ? [['Note', layout.paint('warn', UNFAMILIAR)] as const] : []),
      ],
      { indent: 2 },
    ),
    'Next: equabot models status',
  )
}

export const ORDER_WORDS: Readonly<Record<'agent' | 'config', string>> = {
  agent: "it now stands first in the agent's order",
  config: 'it now stands first in auth.order of the config',
}
export const UNFAMILIAR: string =
  'it does not begin as secrets of this provider usually do; was it the right one?'

function endText(expiresAt: EpochMs | undefined, expiresInMs: number | undefined): string {
  if (expiresInMs === undefined) return 'no end is known'
  return expiresAt === undefined
    ? 'not kept: by its shape it is an api_key, which has no end of its own'
    : `in ${inWords(expiresInMs)} (${dateText(expiresAt)})`
}
