/** The screen of `doctor`: the gravest first, each with its code, what it is, and what puts it right. */

import type { DoctorReport, Mended } from '../domain/doctor-report.ts'
import type { Finding, Severity } from '../domain/finding.ts'
import { findingKey } from '../domain/finding.ts'
import { LEFT_RENEWING } from '../domain/finding-words-logins.ts'
import { tellFinding } from '../domain/finding-words.ts'
import type { Telling } from '../domain/telling.ts'
import { tellFault } from '../domain/telling.ts'
import { lostWords } from '../domain/wording-restored.ts'
import type { Layout, Role } from './layout.ts'
import { lines, sections } from './layout.ts'

interface Scene {
  readonly layout: Layout
  readonly show: Telling['show']
}

const GROUPS: readonly (readonly [Severity, title: string, Role])[] = [
  ['error', 'Wrong', 'bad'],
  ['warn', 'Should not stay so', 'warn'],
  ['info', 'Good to know', 'dim'],
]

/** @param mended what was put right, or tried to be, before the report was made; absent: nothing was to be */
export function doctorScreen(
  report: DoctorReport,
  mended: readonly Mended[] | undefined,
  { layout, show }: Scene,
): string {
  const telling = { show, now: report.now }
  const groups = GROUPS.map(([severity, title, role]) => {
    const found = report.findings.filter((entry) => entry.severity === severity)
    if (found.length === 0) return ''
    return lines(
      layout.paint(role === 'dim' ? 'strong' : role, title),
      ...found.map((entry) => findingBlock(entry, telling, role, layout)),
    )
  })
  return sections(
    adoptedBlock(report, layout),
    mendedBlock(report, mended ?? [], telling, layout),
    ...groups,
    skippedBlock(report, layout),
    summary(report, mended, layout),
  )
}

function findingBlock(finding: Finding, telling: Telling, role: Role, layout: Layout): string {
  const { message, fix } = tellFinding(finding, telling)
  return lines(
    layout.paragraph(`${layout.paint(role, finding.code)}  ${message}`, { indent: 4, first: '  ' }),
    fix === '' ? '' : layout.paragraph(fixText(fix), { indent: 9, first: '    ' }),
  )
}

/** A command is told from a sentence, which says itself what to do. */
function fixText(fix: string): string {
  return /^[a-z]/.test(fix) ? `Fix: ${fix}` : fix
}

function adoptedBlock({ adopted }: DoctorReport, layout: Layout): string {
  if (adopted.length === 0) return ''
  return lines(
    layout.heading('Taken over from other programs'),
    ...adopted.map(({ profile, outcome }) => `  ${profile}: ${outcome}`),
  )
}

/** What was done, with the copies that were made, and what was not. */
function mendedBlock(
  report: DoctorReport,
  mended: readonly Mended[],
  telling: Telling,
  layout: Layout,
): string {
  if (mended.length === 0) return ''
  const left = new Set(report.findings.map(findingKey))
  return lines(
    layout.heading('Put right'),
    ...mended.map(({ finding, backups, fault, renewing, lost }) => {
      const done = !left.has(findingKey(finding))
      const { message } = tellFinding(finding, telling)
      const told = fault && tellFault(fault, telling)
      return lines(
        layout.paragraph(
          `${done ? layout.paint('good', 'done') : layout.paint('bad', 'not done')}  ${finding.code}  ${message}`,
          { indent: 4, first: '  ' },
        ),
        told ? layout.paragraph(told.message, { indent: 4, first: '    ' }) : '',
        renewing ? `    ${LEFT_RENEWING}` : '',
        lost
          ? layout.paragraph(layout.paint('warn', lostWords(lost)), { indent: 4, first: '    ' })
          : '',
        ...backups.map((path) => `    A copy is kept: ${telling.show(path)}`),
      )
    }),
  )
}

function skippedBlock({ looked }: DoctorReport, layout: Layout): string {
  return looked.skipped.length === 0
    ? ''
    : layout.paragraph(
        `Not looked at, because the settings cannot be read: ${looked.skipped.join(', ')}`,
      )
}

function summary(
  { ok, findings, looked }: DoctorReport,
  mended: readonly Mended[] | undefined,
  layout: Layout,
): string {
  const seen = [
    counted(looked.files, 'file'),
    counted(looked.profiles, 'profile'),
    counted(looked.agents, 'agent'),
  ].join(', ')
  const fixable = findings.filter((entry) => entry.fixable).length
  const hint =
    fixable > 0 && mended === undefined
      ? `${layout.paint('strong', 'equabot doctor --fix')} puts right ${fixable} of ${findings.length}`
      : ''
  if (ok) {
    return lines(
      layout.paint('good', 'All is well'),
      `Looked at ${seen}; made ${counted(looked.checks.length, 'check')}`,
      hint,
    )
  }
  return hint === '' ? `${counted(findings.length, 'finding')} for your own hand` : hint
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
