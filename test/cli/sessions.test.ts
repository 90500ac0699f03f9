import { describe, expect, test } from 'vitest'
import { addSessionsCommands } from '../../src/cli/sessions.ts'
import type { TranscriptEntry } from '../../src/domain/chat.ts'
import type { ProfileId } from '../../src/domain/names.ts'
import { sessionJson } from '../../src/wire/report-json.ts'
import type { FakeApp, FakeTerminal, Ran } from './fake-chat-app.ts'
import { fakeApp, fakeTerminal, head, NOW, runCommand } from './fake-chat-app.ts'

function sessions(argv: readonly string[], app: FakeApp, terminal?: FakeTerminal): Promise<Ran> {
  return runCommand(['sessions', ...argv], addSessionsCommands, {
    app,
    ...(terminal && { terminal }),
  })
}

const TRANSCRIPT: readonly TranscriptEntry[] = [
  { at: NOW, role: 'user', text: 'hello\u001b[2J' },
  {
    at: NOW,
    role: 'assistant',
    text: 'two\nlines',
    model: 'sandbox/sandbox-echo',
    profile: 'sandbox:builtin' as ProfileId,
    partial: true,
  },
]

describe('sessions list', () => {
  test('shows the latest first', async () => {
    const app = fakeApp({
      sessions: [head('old', { updatedAt: NOW - 5_000 }), head('new', { updatedAt: NOW - 2_000 })],
    })
    const { out } = await sessions(['list'], app)
    expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual(['new', 'old', ''])
  })

  test('--json gives the heads', async () => {
    const { out } = await sessions(['list', '--json'], fakeApp({ sessions: [head('main')] }))
    expect(JSON.parse(out)).toMatchObject({ agent: 'main', sessions: [{ id: 'main', turns: 1 }] })
  })

  test('--json gives the members that the control API gives, and no others', async () => {
    const entry = head('main', { startedAt: NOW, title: 'hello' })
    const { out } = await sessions(['list', '--json'], fakeApp({ sessions: [entry] }))
    expect(JSON.parse(out)).toMatchObject({ sessions: [sessionJson(entry)] })
  })

  test('says when there are none', async () => {
    expect(await sessions(['list'], fakeApp())).toMatchObject({
      exit: 0,
      out: 'Agent main has no sessions yet\n',
    })
  })
})

describe('sessions show', () => {
  test('prints who said what, without what could steer the terminal', async () => {
    const app = fakeApp({ sessions: [head('main')], transcript: TRANSCRIPT })
    const { out } = await sessions(['show', 'MAIN'], app)
    expect(out).toContain('you · ')
    expect(out).toContain('\nhello\n')
    expect(out).toContain('sandbox/sandbox-echo by sandbox:builtin')
    expect(out).toContain('ended early\ntwo\nlines\n')
    expect(out).not.toContain('\u001b')
  })

  test('--json gives the transcript as it is', async () => {
    const app = fakeApp({ sessions: [head('main')], transcript: TRANSCRIPT })
    const { out } = await sessions(['show', 'main', '--json'], app)
    expect(JSON.parse(out)).toMatchObject({ id: 'main', transcript: TRANSCRIPT })
  })

  test('an unknown session is a fault that names the nearest', async () => {
    const app = fakeApp({ sessions: [head('monday')] })
    const { exit, err } = await sessions(['show', 'mondey'], app)
    expect(exit).toBe(64)
    expect(err).toContain('Did you mean monday?')
  })
})

describe('sessions delete', () => {
  const app = (): FakeApp => fakeApp({ sessions: [head('main')] })
  const left = async (from: FakeApp): Promise<unknown> =>
    JSON.parse((await sessions(['list', '--json'], from)).out)

  test('--yes deletes without asking', async () => {
    const from = app()
    expect(await sessions(['delete', 'main', '--yes'], from)).toMatchObject({ exit: 0 })
    expect(await left(from)).toMatchObject({ sessions: [] })
  })

  test('a person who says yes deletes', async () => {
    const from = app()
    await sessions(['delete', 'main'], from, fakeTerminal({ person: true, yes: true }))
    expect(await left(from)).toMatchObject({ sessions: [] })
  })

  test('a person who says no keeps it, and the answer is no', async () => {
    const from = app()
    const terminal = fakeTerminal({ person: true })
    expect(await sessions(['delete', 'main'], from, terminal)).toMatchObject({ exit: 1 })
    expect(await left(from)).toMatchObject({ sessions: [{ id: 'main' }] })
  })

  test('without a terminal and --yes nothing is deleted', async () => {
    const from = app()
    const { exit, err } = await sessions(['delete', 'main'], from)
    expect(exit).toBe(64)
    expect(err).toContain('--yes')
    expect(await left(from)).toMatchObject({ sessions: [{ id: 'main' }] })
  })
})
