import { expect, test } from 'vitest'

import { fail } from '../../src/domain/result.ts'
import { clinic, only } from './doctor/clinic.ts'

test('a check that fails, which is a fault of ours, is told and does not stop the others', async () => {
  const report = await clinic({
    entries: { '.env': { mode: 0o644 } },
    world: { grants: undefined as never },
  }).examine()
  const failed = report.findings.filter(({ code }) => code === 'DR_CHECK_FAILED')
  expect(failed.map((found) => 'check' in found && found.check)).toContain('grants')
  expect(JSON.stringify(failed)).toContain('TypeError')
  expect(only(report, 'DR_FILE_OPEN').path).toBe('/state/.env')
})

test('the gravest finding comes first', async () => {
  const report = await clinic({
    state: { fileSystem: 'overlay', freeBytes: 2 * 1024 * 1024 },
    entries: { '.env': { mode: 0o644 } },
  }).examine()
  expect(report.findings.map(({ severity }) => severity)).toEqual(['error', 'warn', 'info'])
})

test('a state folder that cannot be looked at is a fault, not a finding', async () => {
  const { deps } = clinic()
  const fault = { code: 'EQ_STORE_UNREADABLE', path: '/state', errno: 'EACCES' } as const
  const inspection = { ...deps.inspection, look: async () => fail(fault) }
  const { doctor } = clinic({ deps: { inspection } })
  expect(await doctor.examine({ offline: true })).toEqual(fail(fault))
})

test('looking changes no book and no setting, and nothing on the disk', async () => {
  const machine = clinic({
    entries: { '.env': { mode: 0o644 }, 'x.0123456789ab.tmp': { modifiedAt: 1 } },
    config: { auth: { order: { anthropic: ['anthropic:gone'] } } },
  })
  await machine.examine(false)
  expect(machine.done).toEqual([])
  expect(machine.profiles.saves()).toBe(0)
  expect(machine.settings.raw()).toEqual({ auth: { order: { anthropic: ['anthropic:gone'] } } })
})
