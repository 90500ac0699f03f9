import { expect, test } from 'vitest'
import { withProbes } from '../../src/cli/status-probe.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { ProbeReport } from '../../src/domain/probe.ts'
import { candidatesFor } from '../../src/domain/world.ts'
import { statusJson } from '../../src/wire/report-json.ts'
import { house } from '../services/house.ts'
import { provider } from '../names-from.ts'

const withKey = (key: string): ReturnType<typeof house> =>
  house({ variables: { ANTHROPIC_API_KEY: key } })

async function probed(key: string): Promise<ProbeReport> {
  const world = orThrow(await withKey(key).loadWorld())
  const facts = world.providers.get(provider('anthropic'))
  const candidates = facts ? candidatesFor(world, facts) : []
  return {
    agent: world.agent,
    now: world.now,
    timeoutMs: 1,
    results: candidates.map((candidate) => ({
      candidate,
      provider: provider('anthropic'),
      named: false,
      host: 'a',
      status: 'ok',
    })),
  }
}

test.each([
  ['fake-key-of-the-gateway', true],
  ['fake-key-of-this-shell', false],
])('a probe of %s stands beside the key that was asked alone: %s', async (key, isBeside) => {
  const seen = statusJson(orThrow(await withKey('fake-key-of-the-gateway').report.status({})))
  const { providers } = withProbes(seen, await probed(key))
  const probes = providers.flatMap(({ candidates }) => candidates.map(({ probe }) => probe?.status))
  expect(probes).toEqual([isBeside ? 'ok' : undefined])
})
