/** How a provider's credentials stand on the screen, in `models status`, `models auth explain` and `models auth list`. */

import type { Health, Summary } from '../domain/health.ts'
import type { CandidateReport, ProviderReport } from '../domain/report.ts'
import type { EpochMs } from '../domain/time.ts'
import { dateText, relative } from '../domain/time.ts'
import {
  accessWords,
  borrowedWords,
  effectiveWords,
  grantWords,
  policyWords,
  renewedOnUseWords,
  sourceWords,
  verdictWords,
} from '../domain/wording.ts'
import { quotaWords } from '../domain/wording-quota.ts'
import type { Cell, Layout, Role } from './layout.ts'
import { lines } from './layout.ts'

/** What screens need beside the facts. */
export interface Scene {
  readonly layout: Layout
  /** Absent: times are dates. */
  readonly now?: EpochMs
  /** A path as a person wants to see it. */
  readonly show: (path: string) => string
}

/** A provider: who serves it and why, then every credential with its four facts. */
export function providerBlock(report: ProviderReport, scene: Scene): string {
  const { layout } = scene
  const notes = report.inUse ? report.provider : `${report.provider}, not in use`
  return lines(
    `${layout.heading(report.title)}  ${layout.paint('dim', notes)}`,
    layout.paragraph(effectiveLine(report, scene), { indent: 4, first: '  ' }),
    ...report.candidates.map((candidate) => candidateBlock(candidate, scene)),
  )
}

/** Whom the next request uses and why, in one line. */
function effectiveLine({ effective, candidates }: ProviderReport, scene: Scene): Cell {
  const { layout, now, show } = scene
  if (!effective) return layout.paint('bad', 'Nothing can serve it now')
  const where = sourceWords(effective.source, show)
  const rivals = candidates.filter(({ place }) => place !== undefined).length - 1
  const why = effectiveWords(effective.ranked, rivals, now)
  const source = effective.source.kind === 'store' ? '' : ` (${where})`
  return `Uses ${layout.paint('strong', effective.profile)}${layout.paint('dim', source)}: ${why}`
}

/** One credential: a line to recognise it by, then where it stands and its four facts. */
export function candidateBlock(candidate: CandidateReport, scene: Scene): string {
  const { layout, now } = scene
  const { health, place } = candidate
  const head = [
    place === undefined ? '-' : `${place}.`,
    layout.paint('strong', candidate.profile),
    ...(candidate.type === 'none' ? [] : [candidate.type, candidate.fingerprint]),
    candidate.lane,
    layout.paint(SUMMARY_ROLES[health.summary], health.summary),
    ...(candidate.email === undefined ? [] : [layout.paint('dim', candidate.email)]),
  ]
  const passedOver = place === undefined ? verdictWords(candidate.ranked, now) : undefined
  return lines(
    `  ${head.join('  ')}`,
    layout.facts(
      [
        ...(passedOver === undefined
          ? []
          : [['passed over', layout.paint('warn', passedOver)] as const]),
        ['from', fromCell(candidate, scene)],
        ['access', accessCell(health, scene)],
        ['grant', grantWords(health.grant, now)],
        ['quota', quotaCell(health, scene)],
        ['policy', policyCell(health, scene)],
      ],
      { indent: 5 },
    ),
  )
}

/** Where the credential stands; of a borrowed one first of all in whose home. */
function fromCell({ source, ownerPlace, origin }: CandidateReport, { show }: Scene): Cell {
  const held = sourceWords(source, show)
  return ownerPlace === undefined
    ? held
    : `${borrowedWords(origin, show(ownerPlace))}, its access copied to ${held}`
}

/** One row per credential, for lists. */
export function candidateRow(candidate: CandidateReport, scene: Scene): readonly Cell[] {
  const { layout, now, show } = scene
  const { health, expiresAt } = candidate
  return [
    layout.paint('strong', candidate.profile),
    candidate.type,
    candidate.fingerprint,
    layout.paint(SUMMARY_ROLES[health.summary], health.summary),
    expiresAt === undefined ? '-' : `${relative(expiresAt, now)} (${dateText(expiresAt)})`,
    layout.paint('dim', sourceWords(candidate.source, show)),
  ]
}

const SUMMARY_ROLES: Readonly<Record<Summary, Role>> = {
  ok: 'good',
  static: 'good',
  expiring: 'warn',
  cooldown: 'warn',
  expired: 'bad',
  missing: 'bad',
  disabled: 'bad',
  refused: 'bad',
}

function accessCell({ access, summary }: Health, { layout, now }: Scene): Cell {
  const words = accessWords(access, now)
  // Expired, and in order all the same: the next request renews it first.
  if (access.state === 'expired' && summary === 'ok') return `${words}, ${renewedOnUseWords()}`
  if (access.state !== 'usable') return layout.paint('bad', words)
  return summary === 'expiring' ? layout.paint('warn', words) : words
}

function quotaCell({ quota }: Health, { layout, now }: Scene): Cell {
  const words = quotaWords(quota, now)
  return quota.state === 'resting' ? layout.paint('warn', words) : words
}

function policyCell({ policy }: Health, { layout, now }: Scene): Cell {
  const words = policyWords(policy, now)
  return policy.state === 'refused' ? layout.paint('bad', words) : words
}
