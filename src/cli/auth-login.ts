/** `equabot models auth login`: a login by OAuth. What is on the way goes to stderr; stdout has the outcome. */

import type { Command } from 'commander'
import { explain } from '../domain/explain.ts'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { dateText, inWords } from '../domain/time.ts'
import type { App } from '../services/app.ts'
import type { LoggedIn, MayReplace, StartedLogin } from '../services/login.ts'
import { findProvider } from '../services/lookup.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import { createLayout, lines } from './layout.ts'
import { revocationJson, revocationLines } from './revocation-line.ts'
import type { Terminal } from './terminal.ts'
import { typedAgent, typedProfile } from './typed-names.ts'

interface LoginOptions {
  readonly provider: string
  readonly profileId?: string
  readonly agent?: string
  readonly paste?: boolean
  readonly browser: boolean
  readonly yes?: boolean
}

/** How often a person may paste before it counts as a mistake of another kind. */
const PASTE_TRIES = 3

export function addLoginCommand(auth: Command, context: CommandContext): void {
  const login = auth
    .command('login')
    .description("Log in at a provider's page (OAuth); the login renews itself from then on")
    .requiredOption('--provider <id>', 'where to log in')
    .option('--profile-id <id>', 'name of the profile; else by the account')
    .option('--agent <id>', 'put it into the book of this agent')
    .option('--paste', 'bring the answer yourself, from a browser anywhere')
    .option('--no-browser', 'only print the address')
    .option('--yes', "replace another account's login without asking")
    .option('--json', 'print JSON')
    .action(appAction(context, (app, options: LoginOptions) => logIn(app, context, options)))
  examples(login, [
    ['equabot models auth login --provider sandbox', 'try it: no account is needed'],
    ['equabot models auth login --provider acme --profile-id work'],
    ['equabot models auth login --provider acme --paste', 'on a host without a browser'],
  ])
}

async function logIn(
  app: App,
  { terminal, signal }: CommandContext,
  options: LoginOptions,
): Promise<Result<Output, Fault>> {
  const agent = typedAgent(options.agent)
  if (!agent.ok) return agent
  const found = await findProvider(app.loadWorld, agent.value, options.provider)
  if (!found.ok) return found
  const profile = typedProfile(options.profileId, found.value.facts.id)
  if (!profile.ok) return profile
  const isPasted = options.paste ?? (terminal.interactive && !app.browser.isAtHand())
  const started = await app.login.begin({
    provider: options.provider,
    redirect: isPasted ? 'paste' : 'loopback',
    signal,
    onExchange: () => terminal.err(`Asking ${found.value.facts.title} for the tokens …\n`),
    ...(agent.value !== undefined && { agent: agent.value }),
    ...(profile.value !== undefined && { profile: profile.value }),
  })
  if (!started.ok) return started
  try {
    const mayReplace = replacing(terminal, options.yes)
    const loggedIn = started.value.arrived
      ? await comeBack(app, { terminal, signal }, options, started.value, mayReplace)
      : await pasted(terminal, started.value, mayReplace)
    if (!loggedIn.ok) return loggedIn
    const { replacedLogin, ...rest } = loggedIn.value
    return ok({
      text: loggedInScreen(loggedIn.value, app, terminal, started.value.title),
      json: { ...rest, ...(replacedLogin && { replacedLogin: revocationJson(replacedLogin) }) },
    })
  } finally {
    await started.value.close()
  }
}

/** A browser on this machine brings the answer. */
async function comeBack(
  app: App,
  { terminal, signal }: Pick<CommandContext, 'terminal' | 'signal'>,
  { browser }: LoginOptions,
  started: StartedLogin,
  mayReplace: MayReplace,
): Promise<Result<LoggedIn, Fault>> {
  const isOpened = browser && app.browser.isAtHand() && (await app.browser.open(started.url))
  const lead = isOpened
    ? `The page of ${started.title} opens in your browser. If it does not, open this address:`
    : 'Open this address in a browser on this machine:'
  terminal.err(`${lead}\n\n  ${started.url}\n\n`)
  terminal.err(`Waiting up to ${inWords(started.timeoutMs)} for the answer…\n`)
  const answer = await Promise.race([
    started.arrived ?? Promise.resolve(fail<Fault>({ code: 'EQ_LOGIN_STATE' })),
    interruption(signal),
  ])
  return answer.ok ? started.finish(answer.value, mayReplace) : answer
}

function interruption(signal: AbortSignal): Promise<Result<never, Fault>> {
  return new Promise((resolve) => {
    const end = (): void => resolve(fail({ code: 'EQ_INTERRUPTED' }))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

/** The person brings the answer; on a terminal a slip may be mended. */
async function pasted(
  terminal: Terminal,
  started: StartedLogin,
  mayReplace: MayReplace,
): Promise<Result<LoggedIn, Fault>> {
  terminal.err(`Open this address in any browser, and agree:\n\n  ${started.url}\n\n`)
  terminal.err('The last page may say that it cannot be reached: its address is the answer.\n')
  for (let tries = 1; ; tries += 1) {
    const answer = terminal.inputIsTerminal
      ? await terminal.askSecret(
          'Paste that address (it will not be shown)',
          'Pipe the address in: equabot models auth login --paste',
        )
      : await terminal.readInput()
    if (!answer.ok) return answer
    if (answer.value.trim() === '' && !terminal.inputIsTerminal)
      return fail({ code: 'EQ_SECRET_EMPTY' })
    const loggedIn = await started.finish(answer.value, mayReplace)
    if (loggedIn.ok || !terminal.interactive || tries === PASTE_TRIES) return loggedIn
    const { code } = loggedIn.fault
    if (code !== 'EQ_LOGIN_ANSWER' && code !== 'EQ_LOGIN_STATE') return loggedIn
    terminal.err(`${explain(loggedIn.fault).message}. Once more:\n`)
  }
}

function replacing(terminal: Terminal, yes: boolean | undefined): MayReplace {
  return async ({ profile, was, is }) => {
    if (yes) return ok(true)
    if (!terminal.interactive) return ok(false)
    return terminal.confirm(`${profile} is the login of ${was}. Replace it by the one of ${is}?`)
  }
}

function loggedInScreen(loggedIn: LoggedIn, app: App, terminal: Terminal, title: string): string {
  const layout = createLayout(terminal)
  const { orderChanged, replacedLogin } = loggedIn
  return lines(
    `Logged in to ${title} as ${layout.paint('strong', loggedIn.account)}`,
    layout.facts(
      [
        ['Profile', `${loggedIn.profile} (${loggedIn.replaced ? 'replaced' : 'new'})`],
        ['Access', accessText(loggedIn, app)],
        ['Book', app.show(loggedIn.bookPath)],
        ['Config', app.show(loggedIn.configPath)],
        ...(orderChanged === undefined ? [] : [['Order', ORDER_WORDS[orderChanged]] as const]),
        ...(replacedLogin
          ? [['Before', revocationLines(replacedLogin, title, 'The old login').join(' ')] as const]
          : []),
      ],
      { indent: 2 },
    ),
    'Next: equabot models status',
  )
}

const ORDER_WORDS: Readonly<Record<'agent' | 'config', string>> = {
  agent: "it now stands first in the agent's order",
  config: 'it now stands first in auth.order of the config',
}

function accessText({ expiresAt, renewable }: LoggedIn, app: App): string {
  if (expiresAt === undefined) return 'no end is known'
  const end = `ends in ${inWords(expiresAt - app.clock.now())} (${dateText(expiresAt)})`
  return renewable ? `${end}, and is renewed by itself` : `${end}; nothing renews it`
}
