/** `equabot sessions`: the conversations of an agent, listed, read again, deleted. */

import type { Command } from 'commander'
import type { TranscriptEntry } from '../domain/chat.ts'
import type { Fault } from '../domain/fault.ts'
import type { AgentId, SessionId } from '../domain/names.ts'
import { parseSessionId } from '../domain/names.ts'
import { nearestOf } from '../domain/nearest.ts'
import type { SessionHead } from '../domain/ports.ts'
import { printable } from '../domain/printable.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { dateText, relative } from '../domain/time.ts'
import { turnsWords } from '../domain/wording.ts'
import { pinWords } from '../domain/wording-choice.ts'
import type { App } from '../services/app.ts'
import { faultJson } from '../wire/fault-json.ts'
import { sessionJson } from '../wire/report-json.ts'
import type { CommandContext, Output } from './command.ts'
import { action } from './command.ts'
import { confirmed, NOT_DONE } from './confirmed.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout, lines, sections } from './layout.ts'
import { typedAgent } from './typed-names.ts'

interface SessionOptions {
  readonly agent?: string
  readonly yes?: boolean
}

const AGENT_OPTION = [
  '--agent <id>',
  'agent whose session it is (default: the default agent)',
] as const

export function addSessionsCommands(program: Command, context: CommandContext): void {
  const sessionsCommand = program
    .command('sessions')
    .description('List, read and delete conversations')
  examples(
    sessionsCommand
      .command('list')
      .description('List the sessions of an agent, the latest first')
      .option(...AGENT_OPTION)
      .option('--json', 'print JSON')
      .action(action(context, (options: SessionOptions) => list(context, options))),
    [['equabot sessions list'], ['equabot sessions list --agent research --json']],
  )
  examples(
    sessionsCommand
      .command('show')
      .argument('<id>', 'session to read')
      .description('Print the transcript of a session')
      .option(...AGENT_OPTION)
      .option('--json', 'print JSON')
      .action(action(context, (id: string, options: SessionOptions) => show(context, id, options))),
    [['equabot sessions show main'], ['equabot sessions show main | less']],
  )
  examples(
    sessionsCommand
      .command('delete')
      .argument('<id>', 'session to delete')
      .description('Delete a session and its transcript')
      .option(...AGENT_OPTION)
      .option('--yes', 'do not ask')
      .action(
        action(context, (id: string, options: SessionOptions) => remove(context, id, options)),
      ),
    [['equabot sessions delete monday'], ['equabot sessions delete monday --yes', 'in a script']],
  )
}

async function list(
  context: CommandContext,
  options: SessionOptions,
): Promise<Result<Output, Fault>> {
  const place = await openAgent(context, options.agent)
  if (!place.ok) return place
  const { app, agent } = place.value
  const listed = await app.sessions.list(agent)
  if (!listed.ok) return listed
  const { heads: latestFirst, unreadable } = listed.value
  const layout = createLayout(context.terminal)
  const none = latestFirst.length === 0 && unreadable.length === 0
  const broken = unreadable.map((fault) => faultJson(fault))
  return ok({
    text: lines(
      none ? layout.paint('dim', `Agent ${agent} has no sessions yet`) : '',
      layout.table(latestFirst.map((head) => headRow(layout, head, app.clock.now()))),
      ...broken.map(({ message }) => layout.paint('bad', message)),
    ),
    json: { agent, sessions: latestFirst.map(sessionJson), unreadable: broken },
    exit: broken[0]?.exit ?? 0,
  })
}

async function show(
  context: CommandContext,
  id: string,
  options: SessionOptions,
): Promise<Result<Output, Fault>> {
  const place = await openSession(context, id, options.agent)
  if (!place.ok) return place
  const { app, agent, head } = place.value
  const transcript = await app.sessions.transcript(agent, head.id)
  if (!transcript.ok) return transcript
  const layout = createLayout(context.terminal)
  return ok({
    text: sections(
      layout.facts(headFacts(head)),
      ...transcript.value.map((entry) => entryBlock(layout, entry)),
    ),
    json: { ...sessionJson(head), transcript: transcript.value },
  })
}

async function remove(
  context: CommandContext,
  id: string,
  options: SessionOptions,
): Promise<Result<Output, Fault>> {
  const place = await openSession(context, id, options.agent)
  if (!place.ok) return place
  const { app, agent, head } = place.value
  const question = `Delete session ${head.id} of agent ${agent}, with ${turnsWords(head.turns)}?`
  const sure = await confirmed(
    context.terminal,
    options.yes,
    question,
    `session ${head.id} was not deleted`,
  )
  if (!sure.ok) return sure
  if (!sure.value) return NOT_DONE
  const removed = await app.sessions.remove(agent, head.id)
  if (!removed.ok) return removed
  return ok({
    text: `Deleted session ${head.id} of agent ${agent}`,
    json: { agent, session: head.id, deleted: removed.value },
  })
}

async function openAgent(
  context: CommandContext,
  agent: string | undefined,
): Promise<Result<{ readonly app: App; readonly agent: AgentId }, Fault>> {
  const named = typedAgent(agent)
  if (!named.ok) return named
  const app = await context.openApp()
  if (!app.ok) return app
  const world = await app.value.loadWorld(named.value)
  return world.ok ? ok({ app: app.value, agent: world.value.agent }) : world
}

/** @faults `EQ_SESSION_UNKNOWN` with the nearest name */
async function openSession(
  context: CommandContext,
  id: string,
  agentText: string | undefined,
): Promise<Result<{ app: App; agent: AgentId; head: SessionHead }, Fault>> {
  const place = await openAgent(context, agentText)
  if (!place.ok) return place
  const { app, agent } = place.value
  const session = parseSessionId(id)
  const head = session ? await app.sessions.read(agent, session) : ok(undefined)
  if (!head.ok) return head
  if (head.value) return ok({ app, agent, head: head.value })
  const listed = await app.sessions.list(agent)
  if (!listed.ok) return listed
  const nearest = nearestOf(id, idsOf(listed.value.heads))
  return fail({
    code: 'EQ_SESSION_UNKNOWN',
    session: id,
    agent,
    ...(nearest !== undefined && { nearest }),
  })
}

function idsOf(heads: readonly SessionHead[]): readonly SessionId[] {
  return heads.map((head) => head.id)
}

function headRow(layout: Layout, head: SessionHead, now: number): readonly string[] {
  return [
    layout.paint('strong', head.id),
    turnsWords(head.turns),
    relative(head.updatedAt, now),
    head.model ?? '',
    layout.paint('dim', head.title ?? ''),
  ]
}

function headFacts(head: SessionHead): readonly (readonly [string, string])[] {
  return [
    ['Session', head.id],
    ['Agent', head.agent],
    ['Begun', dateText(head.createdAt)],
    ['Turns', `${head.turns}`],
    ...(head.model === undefined ? [] : [['Model', head.model] as const]),
    ...(head.pin ? [['Pin', pinWords(head.pin)] as const] : []),
  ]
}

function entryBlock(layout: Layout, entry: TranscriptEntry): string {
  const who = entry.role === 'user' ? 'you' : (entry.model ?? 'reply')
  const by = entry.profile === undefined ? '' : ` by ${entry.profile}`
  const ended = entry.partial ? ', ended early' : ''
  return lines(
    `${layout.paint('strong', who)}${layout.paint('dim', `${by} · ${dateText(entry.at)}${ended}`)}`,
    printable(entry.text).trimEnd(),
  )
}
