/** `equabot models auth setup-token`: a token of a year, made by the provider's own program in this terminal. */

import type { Command } from 'commander'
import { explain } from '../domain/explain.ts'
import type { Fault } from '../domain/fault.ts'
import { profileId } from '../domain/names.ts'
import type { ProviderFacts, SetupTokenFacts } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { dateText, dayText, inWords } from '../domain/time.ts'
import { setupTokenByHandWords } from '../domain/wording.ts'
import type { World } from '../domain/world.ts'
import type { App } from '../services/app.ts'
import { findProvider } from '../services/lookup.ts'
import type { SetupTokenPlan } from '../services/setup-token.ts'
import type { StoredSecret } from '../services/vault.ts'
import { faultJson } from '../wire/fault-json.ts'
import { ORDER_WORDS, UNFAMILIAR } from './auth-paste.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { NOT_DONE } from './confirmed.ts'
import { examples } from './help.ts'
import { createLayout, lines } from './layout.ts'
import type { Terminal } from './terminal.ts'
import { typedAgent, typedProfile } from './typed-names.ts'

interface Options {
  readonly provider: string
  readonly profileId?: string
  readonly agent?: string
  readonly yes?: boolean
}

export function addSetupTokenCommand(auth: Command, context: CommandContext): void {
  const command = auth
    .command('setup-token')
    .description('Run claude setup-token here, then store the token that it shows; serves a year')
    .option('--provider <id>', 'whose token it is', 'anthropic')
    .option('--profile-id <id>', 'name of the profile, instead of anthropic:claude-cli')
    .option('--agent <id>', 'put it into the book of this agent')
    .option('--yes', 'run it without asking, and send no request to try the token')
    .option('--json', 'print JSON')
    .action(appAction(context, (app, options: Options) => setupToken(app, context, options)))
  examples(command, [
    ['equabot models auth setup-token'],
    ['equabot models auth setup-token --profile-id work', 'beside the one that is there'],
    [
      'equabot models auth paste-token --provider anthropic --expires-in 365d < file',
      'a token that was made elsewhere',
    ],
  ])
}

async function setupToken(
  app: App,
  { terminal, signal }: CommandContext,
  options: Options,
): Promise<Result<Output, Fault>> {
  const asked = await checkOptions(app, options)
  if (!asked.ok) return asked
  const { facts, world } = asked.value
  const instead = setupTokenByHandWords(
    facts.setupToken,
    profileId(facts.id, facts.setupToken.name),
  )
  if (!terminal.interactive) return fail({ code: 'EQ_PROMPT_NO_TTY', instead })
  const wanted = typedProfile(options.profileId, facts.id)
  if (!wanted.ok) return wanted
  const planned = await app.setupTokens.plan(world, facts, wanted.value)
  if (!planned.ok) return planned
  const plan = planned.value

  const agreed = options.yes ? ok(true) : await terminal.confirm(runQuestion(plan, facts))
  if (!agreed.ok) return agreed
  if (!agreed.value) return NOT_DONE
  const shown = await app.setupTokens.show(plan, signal)
  if (!shown.ok) return shown
  const stored = await storePasted(app, terminal, plan, instead)
  if (!stored.ok) return stored
  const tried = await tryToken(app, terminal, plan, options.yes ?? false, signal)
  return ok({
    text: storedScreen(stored.value, plan, tried, app, terminal),
    json: { ...stored.value, ...(plan.leaves && { leaves: plan.leaves }), tried: triedJson(tried) },
    ...(tried.kind === 'stopped' && { exit: 130 }),
    ...(tried.kind === 'failed' && { exit: explain(tried.fault).exit }),
  })
}

type Issuer = ProviderFacts & { readonly setupToken: SetupTokenFacts }

async function checkOptions(
  app: App,
  options: Options,
): Promise<Result<{ readonly facts: Issuer; readonly world: World }, Fault>> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const found = await findProvider(app.loadWorld, agent.value, options.provider)
  if (!found.ok) return found
  const { world, facts } = found.value
  const { setupToken } = facts
  if (setupToken) return ok({ facts: { ...facts, setupToken }, world })
  const detail = `${facts.id} has no setup-tokens, only anthropic has; store a key or token of ${facts.id}: equabot models auth paste-token --provider ${facts.id}`
  return fail({ code: 'EQ_USAGE', detail, command: 'equabot models auth setup-token' })
}

function runQuestion({ facts, profile, leaves }: SetupTokenPlan, issuer: Issuer): string {
  const program = [facts.program, ...facts.args].join(' ')
  const kept = leaves === undefined ? '' : ` ${leaves} is a login in use and stays as it is.`
  return `Run ${program} here? It opens a page of ${issuer.title} and shows a token at the end. Copy that; it is asked for next, and becomes ${profile}.${kept}`
}

/** A person may mispaste, and the token is still on the screen: making another one for that would be hard on them. */
const PASTES = 3

async function storePasted(
  app: App,
  terminal: Terminal,
  plan: SetupTokenPlan,
  instead: string,
): Promise<Result<StoredSecret, Fault>> {
  for (let paste = 1; ; paste += 1) {
    const text = await terminal.askSecret(
      'Paste the token that was shown just now (it will not be shown)',
      instead,
    )
    if (!text.ok) return text
    const stored = await app.setupTokens.store(plan, text.value)
    if (stored.ok || !stored.fault.code.startsWith('EQ_SECRET_') || paste === PASTES) return stored
    const { message, hint } = explain(stored.fault)
    terminal.err(`${lines(message, hint)}\n`)
  }
}

type Tried =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'not_tried' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly fault: Fault }

/** The token is stored by now, so nothing that happens here undoes anything. */
async function tryToken(
  app: App,
  terminal: Terminal,
  plan: SetupTokenPlan,
  unasked: boolean,
  signal: AbortSignal,
): Promise<Tried> {
  if (unasked) return { kind: 'not_tried' }
  const wanted = await terminal.confirm(
    'Stored. Send one small request to see whether Anthropic takes it? It may cost a few tokens',
  )
  if (!wanted.ok) return { kind: 'stopped' }
  if (!wanted.value) return { kind: 'not_tried' }
  const verified = await app.setupTokens.verify(plan, signal)
  if (verified.ok) return { kind: 'accepted' }
  return verified.fault.code === 'EQ_REQUEST_CANCELLED'
    ? { kind: 'stopped' }
    : { kind: 'failed', fault: verified.fault }
}

function triedJson(tried: Tried): unknown {
  if (tried.kind !== 'failed') return { outcome: tried.kind }
  const { code, message, hint } = faultJson(tried.fault)
  return { outcome: tried.kind, error: { code, message, hint } }
}

function storedScreen(
  stored: StoredSecret,
  { facts, leaves }: SetupTokenPlan,
  tried: Tried,
  app: App,
  terminal: Terminal,
): string {
  const layout = createLayout(terminal)
  const { expiresAt, issuedAt, orderChanged } = stored
  const fault = tried.kind === 'failed' ? explain(tried.fault) : undefined
  return lines(
    `${stored.replaced ? 'Replaced' : 'Stored'} ${layout.paint('strong', stored.profile)}`,
    layout.facts(
      [
        ['Type', stored.type],
        ['Fingerprint', stored.fingerprint],
        ...(issuedAt === undefined ? [] : [['Issued', dayText(issuedAt)] as const]),
        [
          'Ends',
          expiresAt === undefined
            ? 'no end is known'
            : `in ${inWords(facts.lifetimeMs)}, a year (${dateText(expiresAt)})`,
        ],
        ['Book', app.show(stored.bookPath)],
        ['Config', app.show(stored.configPath)],
        ...(orderChanged === undefined ? [] : [['Order', ORDER_WORDS[orderChanged]] as const]),
        ...(leaves === undefined
          ? []
          : [['Beside', `${leaves}, a login in use that stays as it is`] as const]),
        ...(stored.unfamiliar ? [['Note', layout.paint('warn', UNFAMILIAR)] as const] : []),
        ['Tried', fault ? layout.paint('bad', fault.message) : TRIED_WORDS[tried.kind]],
      ],
      { indent: 2 },
    ),
    ...(fault ? ['The token stays stored.', fault.hint] : []),
    'Next: equabot models status',
  )
}

const TRIED_WORDS: Readonly<Record<Tried['kind'], string>> = {
  accepted: 'the provider takes it',
  not_tried: 'not yet',
  stopped: 'stopped by you',
  failed: '',
}
