import { describe, expect, test } from 'vitest'
import { addAgentsCommands } from '../../src/cli/agents.ts'
import type { AgentId } from '../../src/domain/names.ts'
import { fail, ok } from '../../src/domain/result.ts'
import type { AgentReport, Agents } from '../../src/services/agents.ts'
import type { Ran } from './fake-chat-app.ts'
import { fakeApp, runCommand } from './fake-chat-app.ts'

const REPORT: AgentReport = {
  id: 'research' as AgentId,
  name: 'Research',
  isDefault: true,
  model: 'anthropic/claude-sonnet-5',
  fallbacks: ['openai/gpt-5'],
  ownProfiles: 1,
  inheritedProfiles: 2,
  sessions: 3,
  bookPath: '/home/ada/.equabot/agents/research/agent/auth-profiles.json',
}

function agents(
  argv: readonly string[],
  service: Partial<Agents> = {},
): Promise<Ran & { readonly calls: readonly unknown[] }> {
  const calls: unknown[] = []
  const fake: Agents = {
    list: async () => ok([REPORT]),
    async add(input) {
      calls.push(input)
      return ok(REPORT)
    },
    async remove(id) {
      calls.push(id)
      return ok({ id: REPORT.id, bookPath: REPORT.bookPath, hadProfiles: 2 })
    },
    ...service,
  }
  const app = fakeApp({ parts: { agents: fake } })
  return runCommand(['agents', ...argv], addAgentsCommands, { app }).then((ran) => ({
    ...ran,
    calls,
  }))
}

describe('agents', () => {
  test('list shows each with its model, profiles and sessions', async () => {
    const { out } = await agents(['list'])
    expect(out).toContain('research (Research)  default')
    expect(out).toContain('anthropic/claude-sonnet-5, then openai/gpt-5')
    expect(out).toContain('1 own, 2 of main')
    expect(out).toContain('~/.equabot/agents/research')
  })

  test('list --json gives the same facts', async () => {
    const { out } = await agents(['list', '--json'])
    expect(JSON.parse(out)).toEqual({ agents: [REPORT] })
  })

  test('add passes on what was given and nothing else', async () => {
    const all = await agents([
      'add',
      'research',
      '--name',
      'Research',
      '--model',
      'opus',
      '--default',
    ])
    expect(all.calls).toEqual([
      { id: 'research', name: 'Research', model: 'opus', makeDefault: true },
    ])
    expect((await agents(['add', 'research'])).calls).toEqual([{ id: 'research' }])
  })

  test('add tells why it cannot', async () => {
    const fault = { code: 'EQ_AGENT_EXISTS', agent: REPORT.id } as const
    const { exit, err } = await agents(['add', 'research'], { add: async () => fail(fault) })
    expect(exit).toBe(64)
    expect(err).toContain('research already')
  })

  test('remove needs a yes, then says what stays on disk', async () => {
    const unsure = await agents(['remove', 'research'])
    expect(unsure).toMatchObject({ exit: 64, calls: [] })
    const sure = await agents(['remove', 'research', '--yes'])
    expect(sure.calls).toEqual(['research'])
    expect(sure.out).toContain('2 profiles stay in ~/.equabot/agents/research')
  })
})
