/** The screen of `models status`: the choice of model first, then each provider, then what needs the user's hand. */

import { explain } from '../domain/explain.ts'
import { formatModelKey } from '../domain/names.ts'
import { SANDBOX } from '../domain/provider.ts'
import type { StatusReport } from '../domain/report.ts'
import { tellFault } from '../domain/telling.ts'
import {
  becauseWords,
  credentialCommand,
  findingFix,
  findingWords,
  olderSpellingWords,
} from '../domain/wording.ts'
import type { Scene } from './candidate-screen.ts'
import { providerBlock } from './candidate-screen.ts'
import type { Cell } from './layout.ts'
import { lines, sections } from './layout.ts'

export function statusScreen(report: StatusReport, scene: Scene): string {
  return sections(
    bookFaultBlock(report, scene),
    scene.layout.facts(choiceFacts(report, scene)),
    ...report.providers.map((provider) => providerBlock(provider, scene)),
    missingBlock(report, scene),
    findingsBlock(report, scene),
    foreignBlock(report, scene),
    notesBlock(report, scene),
  )
}

/** First of all: what is shown below leaves the unreadable file out. */
function bookFaultBlock({ bookFault, now }: StatusReport, { layout, show }: Scene): string {
  if (!bookFault) return ''
  const { message, fix } = tellFault(bookFault, { show, now })
  return lines(
    layout.paint('bad', 'Unreadable store'),
    layout.paragraph(message, { indent: 2, first: '  ' }),
    layout.paragraph(fix, { indent: 2, first: '  ' }),
  )
}

function choiceFacts(
  report: StatusReport,
  scene: Scene,
): readonly (readonly [name: string, value: Cell])[] {
  const { chain, aliases, allowed } = report
  const { layout, show } = scene
  const aliasCells = aliases.map(({ alias, model }) => `${alias} -> ${model}`)
  return [
    ['Default model', defaultCell(report, scene)],
    ...(chain.ok
      ? ([
          ['Because', becauseWords(chain.value.chosenBy)],
          ['Fallbacks', listCell(chain.value.fallbacks.map(formatModelKey), scene)],
        ] as const)
      : []),
    ['Aliases', listCell(aliasCells, scene)],
    ...(allowed ? [['Allowed', listCell(allowed, scene)] as const] : []),
    ['Agent', report.agent],
    [
      'Config',
      `${show(report.configPath)}${report.configExists ? '' : layout.paint('dim', ' (none yet)')}`,
    ],
    ['Book', show(report.bookPath)],
  ]
}

function defaultCell({ chain, bookFault, now }: StatusReport, { layout }: Scene): Cell {
  if (chain.ok) return layout.paint('strong', formatModelKey(chain.value.primary))
  if (chain.fault.code === bookFault?.code) return layout.paint('bad', 'not known, see above')
  const { message, hint } = explain(chain.fault, now)
  return `${layout.paint('bad', message)}. ${hint}`
}

function listCell(entries: readonly string[], { layout }: Scene): Cell {
  return entries.length > 0 ? entries.join(', ') : layout.paint('dim', 'none')
}

function missingBlock({ missing }: StatusReport, { layout }: Scene): string {
  if (missing.length === 0) return ''
  return lines(
    layout.heading('Missing auth'),
    ...missing.map(({ provider, variables }) => {
      const variable = variables[0] === undefined ? '' : `, or set ${variables[0]}`
      const who = provider === SANDBOX ? 'any real provider' : provider
      return `  ${layout.paint('bad', who)}  ${credentialCommand(provider)}${variable}`
    }),
  )
}

function findingsBlock({ check }: StatusReport, { layout }: Scene): string {
  if (check.findings.length === 0) return ''
  return lines(
    layout.heading('Check'),
    ...check.findings.map((finding) => {
      const role = finding.problem === 'expiring' ? 'warn' : 'bad'
      return `  ${layout.paint(role, findingWords(finding))}; fix: ${findingFix(finding)}`
    }),
  )
}

/** Logins of other programs that could not be taken over; what was there before still serves. */
function foreignBlock({ foreign, now }: StatusReport, { layout, show }: Scene): string {
  if (foreign.length === 0) return ''
  return lines(
    layout.heading('Logins of other programs'),
    ...foreign.flatMap((fault) => {
      const { message, fix } = tellFault(fault, { show, now })
      return [
        layout.paragraph(layout.paint('warn', message), { indent: 4, first: '  ' }),
        layout.paragraph(fix, { indent: 4, first: '    ' }),
      ]
    }),
  )
}

/** What in the files should be looked at. */
export function notesBlock(
  { problems, migrated }: Pick<StatusReport, 'problems' | 'migrated'>,
  { layout, show }: Scene,
): string {
  if (problems.length === 0 && migrated.length === 0) return ''
  const note = (field: string, words: string): Cell =>
    layout.paragraph(`${field}: ${words}`, { indent: 4, first: '  ' })
  return lines(
    layout.heading('Notes'),
    ...problems.map(({ field, problem }) => note(layout.paint('warn', show(field)), problem)),
    ...migrated.map((field) => note(field, olderSpellingWords())),
  )
}
