/** `equabot events`: what happens to credentials and requests, as the running gateway tells it. */

import type { Command } from 'commander'
import type { HeardEvent } from '../domain/event.ts'
import type { Fault } from '../domain/fault.ts'
import type { GatewayClient } from '../domain/ports.ts'
import { printableLine } from '../domain/printable.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { SECOND_MS } from '../domain/time.ts'
import { eventsGoneWords, eventsFollowedWords } from '../domain/wording-view.ts'
import type { App } from '../services/app.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { examples } from './help.ts'
import type { Layout } from './layout.ts'
import { createLayout, lines } from './layout.ts'
import { printableJson } from './printable.ts'
import type { Terminal } from './terminal.ts'

interface EventsOptions {
  readonly follow?: boolean
  readonly json?: boolean
  readonly since?: string
}

/** How often a gateway that has gone is looked for, ms. */
const LOOKING_MS: number = SECOND_MS

/** What a stream says of itself when it begins; nothing for a reader. */
const OPENING = 'events.open'

export function addEventsCommand(program: Command, context: CommandContext): void {
  examples(
    program
      .command('events')
      .description('What happened to credentials and requests, from the running gateway')
      .option('--follow', 'go on with what happens from now on, until Ctrl-C')
      .option(
        '--since <id>',
        'what came after this event; its id stands in --json; 0: all that is remembered',
      )
      .option('--json', 'print JSON; with --follow one line for each event')
      .action(
        appAction(context, (app, options: EventsOptions) => showEvents(context, app, options)),
      ),
    [
      ['equabot events', 'what the gateway remembers, at most the last 1,000'],
      ['equabot events --follow', 'as it happens; goes on when the gateway comes back'],
      ['equabot events --follow --since 0', 'what it remembers, and then what happens'],
      ['equabot events --follow --json | jq .kind'],
    ],
  )
}

async function showEvents(
  context: CommandContext,
  app: App,
  options: EventsOptions,
): Promise<Result<Output, Fault>> {
  const { since } = options
  if (since !== undefined && !/^(?:0|[0-9a-f]{8}-\d+)$/.test(since)) {
    const detail = '--since takes the id of an event, such as 1f2e3d4c-17, or 0'
    return fail({ code: 'EQ_USAGE', detail, command: 'equabot events' })
  }
  const client = await app.gatewayClient()
  if (!client.ok) return client
  return options.follow
    ? followEvents(context, app, client.value, options)
    : listEvents(context, client.value, since)
}

async function listEvents(
  { terminal, signal }: CommandContext,
  client: GatewayClient,
  since: string | undefined,
): Promise<Result<Output, Fault>> {
  const heard: HeardEvent[] = []
  for await (const event of client.events({ since: since ?? '0', follow: false }, signal)) {
    if (!event.ok) return event
    heard.push(event.value)
  }
  const told = heard.filter(({ kind }) => kind !== OPENING)
  const layout = createLayout(terminal)
  const none = layout.paint('dim', 'Nothing has happened since the gateway was started')
  return ok({
    text: told.length === 0 ? none : lines(...told.map((event) => eventLine(event, layout))),
    json: { events: told.map(({ id, data }) => ({ id, ...data })), last: heard.at(-1)?.id },
  })
}

/** Follows one gateway after the other, until the user has heard enough. */
async function followEvents(
  { terminal, signal }: CommandContext,
  app: App,
  first: GatewayClient,
  { json, since }: EventsOptions,
): Promise<Result<Output, Fault>> {
  const layout = createLayout(terminal)
  let client = first
  let last = since
  while (!signal.aborted) {
    tell(terminal, layout, eventsFollowedWords(client.url, client.record.pid))
    const wish = { follow: true, ...(last !== undefined && { since: last }) }
    for await (const event of client.events(wish, signal)) {
      if (event.ok) {
        last = event.value.id
        printEvent(terminal, layout, event.value, json ?? false)
      } else if (!isGone(event.fault)) return event
    }
    if (signal.aborted) break
    tell(terminal, layout, eventsGoneWords(client.record.pid))
    const next = await nextGateway(app, signal)
    if (!next.ok) return next
    if (next.value) client = next.value
  }
  return ok({ text: '', json: undefined })
}

/** It has ended or is about to; anything else would be the same at the next try. */
function isGone(fault: Fault): boolean {
  return (
    fault.code === 'EQ_GATEWAY_SILENT' ||
    (fault.code === 'EQ_GATEWAY_ANSWER' && fault.faultCode === 'EQ_GATEWAY_STOPPING')
  )
}

/** Waits for a gateway; undefined: the user has heard enough. */
async function nextGateway(
  app: App,
  signal: AbortSignal,
): Promise<Result<GatewayClient | undefined, Fault>> {
  while (!signal.aborted) {
    await app.clock.sleep(LOOKING_MS, signal)
    const found = await app.gatewayClient()
    if (found.ok || found.fault.code !== 'EQ_GATEWAY_DOWN') return found
  }
  return ok(undefined)
}

function printEvent(terminal: Terminal, layout: Layout, event: HeardEvent, json: boolean): void {
  if (event.kind === OPENING) return
  const line = json
    ? printableJson(JSON.stringify({ id: event.id, ...event.data }))
    : eventLine(event, layout)
  terminal.out(`${line}\n`)
}

function eventLine({ when, kind, words, data }: HeardEvent, layout: Layout): string {
  const at = when === undefined ? '' : new Date(when).toISOString().slice(0, 19).replace('T', ' ')
  const role = data['level'] === 'info' ? 'good' : 'warn'
  const parts = [layout.paint('dim', at), layout.paint(role, kind), printableLine(words)]
  return parts.filter((part) => part !== '').join('  ')
}

/** Beside the events, so that what reads them is not disturbed. */
function tell(terminal: Terminal, layout: Layout, words: string): void {
  terminal.err(`${layout.paint('dim', words)}\n`)
}
