/** The screen of `models status`: the choice of model first, then each provider, then what needs the user's hand. */

import { SANDBOX } from '../domain/provider.ts'
import { withPathsShown } from '../domain/telling.ts'
import { becauseWords, olderSpellingWords, unservedWords } from '../domain/wording.ts'
import type { FaultJson } from '../wire/fault-json.ts'
import type { StatusJson } from '../wire/report-json.ts'
import type { Scene } from './candidate-screen.ts'
import { providerBlock } from './candidate-screen.ts'
import type { Cell } from './layout.ts'
import { lines, sections } from './layout.ts'

export function statusScreen(report: StatusJson, scene: Scene): string {
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
function bookFaultBlock({ bookFault }: StatusJson, scene: Scene): string {
  if (!bookFault) return ''
  const { layout } = scene
  const { message, fix } = told(bookFault, scene)
  return lines(
    layout.paint('bad', 'Unreadable store'),
    layout.paragraph(message, { indent: 2, first: '  ' }),
    layout.paragraph(fix, { indent: 2, first: '  ' }),
  )
}

function choiceFacts(
  report: StatusJson,
  scene: Scene,
): readonly (readonly [name: string, value: Cell])[] {
  const { modelBecause, fallbacks, aliases, allowed, foreign } = report
  const { layout, show } = scene
  const aliasCells = aliases.map(({ alias, model }) => `${alias} -> ${model}`)
  return [
    ['Default model', defaultCell(report, scene)],
    ...(modelBecause
      ? ([
          ['Because', becauseWords(modelBecause, foreign.some(isNotStored))],
          ['Fallbacks', listCell(fallbacks, scene)],
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

function defaultCell({ model, modelFault, bookFault }: StatusJson, scene: Scene): Cell {
  const { layout } = scene
  if (!modelFault) return layout.paint('strong', model ?? '')
  if (modelFault.code === bookFault?.code) return layout.paint('bad', 'not known, see above')
  const { message, fix } = told(modelFault, scene)
  return `${layout.paint('bad', message)}. ${fix}`
}

function isNotStored({ code }: FaultJson): boolean {
  return code === 'EQ_FOREIGN_NOT_STORED'
}

function listCell(entries: readonly string[], { layout }: Scene): Cell {
  return entries.length > 0 ? entries.join(', ') : layout.paint('dim', 'none')
}

function missingBlock({ missing }: StatusJson, { layout }: Scene): string {
  if (missing.length === 0) return ''
  return lines(
    layout.heading('Missing auth'),
    ...missing.map(({ provider, variables, command }) => {
      const variable = variables[0] === undefined ? '' : `, or set ${variables[0]}`
      const who = provider === SANDBOX ? 'any real provider' : provider
      return `  ${layout.paint('bad', who)}  ${command}${variable}`
    }),
  )
}

function findingsBlock({ check }: StatusJson, { layout, show }: Scene): string {
  const unserved = check.unserved ?? []
  if (check.findings.length + unserved.length === 0) return ''
  return lines(
    layout.heading('Check'),
    ...check.findings.map((finding) => {
      const role = finding.problem === 'expiring' ? 'warn' : 'bad'
      return `  ${layout.paint(role, finding.words)}; fix: ${withPathsShown(finding.fix, show)}`
    }),
    ...[...new Set(unserved.map(({ provider }) => provider))].map((provider) => {
      const findings = unserved.filter((finding) => finding.provider === provider)
      const words = unservedWords(
        provider,
        findings.map((finding) => finding.words),
      )
      return `  ${layout.paint('warn', words)}; fix: ${findings[0]?.fix ?? ''}`
    }),
  )
}

/** Logins of other programs that could not be taken over; what was there before still serves. */
function foreignBlock({ foreign }: StatusJson, scene: Scene): string {
  if (foreign.length === 0) return ''
  const { layout } = scene
  return lines(
    layout.heading('Logins of other programs'),
    ...foreign.flatMap((fault) => {
      const { message, fix } = told(fault, scene)
      return [
        layout.paragraph(layout.paint('warn', message), { indent: 4, first: '  ' }),
        layout.paragraph(fix, { indent: 4, first: '    ' }),
      ]
    }),
  )
}

/** A fault in its own words, its paths as a person writes them. */
function told(
  { message, hint }: FaultJson,
  { show }: Scene,
): { readonly message: string; readonly fix: string } {
  return { message: withPathsShown(message, show), fix: withPathsShown(hint, show) }
}

/** What in the files should be looked at. */
export function notesBlock(
  { problems, migrated }: Pick<StatusJson, 'problems' | 'migrated'>,
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
