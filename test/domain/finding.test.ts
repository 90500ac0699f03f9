import { expect, test } from 'vitest'

import { finding, findingKey, isHealthy } from '../../src/domain/finding.ts'
import { FINDING_SAMPLES } from '../finding-samples.ts'
import { agent, profile, provider } from '../names-from.ts'

test('only what is worth knowing leaves a machine healthy', () => {
  const of = (severity: string) => FINDING_SAMPLES.filter((entry) => entry.severity === severity)
  expect(isHealthy([])).toBe(true)
  expect(isHealthy(of('info'))).toBe(true)
  for (const entry of [...of('warn'), ...of('error')]) expect(isHealthy([entry])).toBe(false)
})

test('every finding has a key of its own, and the same one when only its numbers have changed', () => {
  expect(new Set(FINDING_SAMPLES.map(findingKey)).size).toBe(FINDING_SAMPLES.length)
  const low = (freeBytes: number) => finding({ code: 'DR_DISK_LOW', path: '/state', freeBytes })
  expect(findingKey(low(1))).toBe(findingKey(low(2)))
})

test('orders of different agents and of the config are different findings', () => {
  const base = {
    code: 'DR_ORDER_UNKNOWN',
    provider: provider('anthropic'),
    profiles: [profile('anthropic:gone')],
  } as const
  const keys = [base, { ...base, agent: agent('main') }, { ...base, agent: agent('research') }]
  expect(new Set(keys.map(findingKey)).size).toBe(3)
})
