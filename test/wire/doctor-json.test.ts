import { expect, test } from 'vitest'

import type { DoctorReport } from '../../src/domain/doctor-report.ts'
import type { Finding } from '../../src/domain/finding.ts'
import { finding } from '../../src/domain/finding.ts'
import { FAKE_NOW } from '../../src/testing.ts'
import { doctorJson } from '../../src/wire/doctor-json.ts'
import { FINDING_SAMPLES } from '../finding-samples.ts'
import { agent, profile } from '../names-from.ts'

const show = (path: string): string => path.replace(/^\/home\/jane/, '~')
const looked = { files: 1, agents: 1, profiles: 1, checks: ['files'], skipped: [] }

function report(...findings: readonly Finding[]): DoctorReport {
  return { now: FAKE_NOW, ok: findings.length === 0, findings, adopted: [], looked }
}

const open = finding({
  code: 'DR_FILE_OPEN',
  path: '/home/jane/.equabot/.env',
  kind: 'file',
  mode: 0o644,
  secret: true,
  linked: false,
})
const strayPath = '/home/jane/.equabot/x.0123456789ab.tmp'
const stray = finding({
  code: 'DR_FILE_STRAY',
  path: strayPath,
  modifiedAt: FAKE_NOW - 1,
})

test('a report names each finding and shows paths from the home', () => {
  expect(doctorJson(report(open), undefined, show)).toEqual({
    ok: false,
    findings: [
      {
        code: 'DR_FILE_OPEN',
        severity: 'error',
        message:
          'Other users of this machine may use ~/.equabot/.env (mode 644), which holds secrets',
        fix: 'chmod 600 ~/.equabot/.env',
        fixable: true,
      },
    ],
    adopted: [],
    looked,
  })
})

test('after mending, what is gone is fixed, and what is left is not and says why', () => {
  const fault = { code: 'EQ_STORE_UNWRITABLE', path: strayPath, errno: 'EROFS' } as const
  const mended = [
    { finding: open, backups: ['/home/jane/.equabot/copy'] },
    { finding: stray, backups: [], fault },
  ]
  const { findings } = doctorJson(report(stray), mended, show)
  expect(findings).toMatchObject([
    {
      code: 'DR_FILE_STRAY',
      fixed: false,
      error: {
        code: 'EQ_STORE_UNWRITABLE',
        message: expect.stringContaining('~/.equabot/x.0123456789ab.tmp'),
      },
    },
    { code: 'DR_FILE_OPEN', fixed: true, backups: ['~/.equabot/copy'] },
  ])
})

test('it may be shown to others: no mail address, and nothing that looks like a secret', () => {
  const key = `sk-ant-api03-${'Fa2Ke3'.repeat(14)}`
  const main = agent('main')
  const mail = profile('anthropic:jane.doe+x@example.co.uk')
  const told = doctorJson(
    {
      ...report(
        finding({ code: 'DR_PROFILE_UNUSED', agent: main, profile: mail, since: 1 }),
        finding({
          code: 'DR_ACCESS_REJECTED',
          agent: main,
          profile: profile('anthropic:work'),
          at: 1,
          words: `jane@example.com sent ${key}`,
        }),
      ),
      adopted: [{ profile: mail, outcome: 'added' }],
    },
    undefined,
    show,
  )
  const text = JSON.stringify(told)
  expect(text).not.toMatch(/example\.co/)
  expect(text).not.toContain('Fa2Ke3')
  expect(text).toContain('anthropic:[mail]')
})

test('no marks, grants or other inner values of a finding get out', () => {
  const { findings } = doctorJson(report(...FINDING_SAMPLES), undefined, show)
  expect(findings).toHaveLength(FINDING_SAMPLES.length)
  for (const entry of findings) {
    expect(Object.keys(entry).toSorted()).toEqual(['code', 'fix', 'fixable', 'message', 'severity'])
  }
})
