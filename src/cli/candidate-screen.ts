/**
 * How a provider's credentials stand on the screen, in `models status`, `models auth explain` and `models auth list`.
 *
 * Screens are made from what `--json` prints, so what the gateway has seen and what this process sees look the same.
 */

import type { Summary } from '../domain/health.ts'
import { withPathsShown } from '../domain/telling.ts'
import type { EpochMs } from '../domain/time.ts'
import { dateText, relative } from '../domain/time.ts'
import { gatewayVariableWords } from '../domain/wording-view.ts'
import { borrowedWords, effectiveWords, renewedOnUseWords } from '../domain/wording.ts'
import type { CandidateJson, HealthJson, ProviderJson } from '../wire/candidate-json.ts'
import type { Cell, Layout, Role } from './layout.ts'
import { lines } from './layout.ts'
import { probeCell } from './probe-screen.ts'
import type { ViewWish } from './view.ts'

/** What screens need beside the facts. */
export interface Scene {
  readonly layout: Layout
  /** Absent: times are dates. */
  readonly now?: EpochMs
  /** A path as a person wants to see it. */
  readonly show: (path: string) => string
  /** Whose view this is; absent: of this process. */
  readonly view?: ViewWish
}

/** A provider: who serves it and why, then every credential with its four facts. */
export function providerBlock(report: ProviderJson, scene: Scene): string {
  const { layout } = scene
  const notes = report.inUse ? report.provider : `${report.provider}, not in use`
  return lines(
    `${layout.heading(report.title)}  ${layout.paint('dim', notes)}`,
    layout.paragraph(effectiveLine(report, scene), { indent: 4, first: '  ' }),
    ...report.candidates.map((candidate) => candidateBlock(candidate, scene)),
  )
}

/** Whom the next request uses and why, in one line. */
function effectiveLine({ effective, candidates }: ProviderJson, scene: Scene): Cell {
  const { layout } = scene
  const first = candidates.find(({ profile }) => profile === effective)
  if (!first) return layout.paint('bad', 'Nothing can serve it now')
  const where = sourceCell(first, scene)
  const rivals = candidates.filter(({ place }) => place !== undefined).length - 1
  const why = effectiveWords(first.why, rivals)
  const source = first.source.kind === 'store' ? '' : ` (${where})`
  return `Uses ${layout.paint('strong', first.profile)}${layout.paint('dim', source)}: ${why}`
}

/** One credential: a line to recognise it by, then where it stands and its four facts. */
export function candidateBlock(candidate: CandidateJson, scene: Scene): string {
  const { layout } = scene
  const { health, place } = candidate
  const head = [
    place === undefined ? '-' : `${place}.`,
    layout.paint('strong', candidate.profile),
    ...(candidate.type === 'none' ? [] : [candidate.type, candidate.fingerprint]),
    candidate.lane,
    layout.paint(SUMMARY_ROLES[health.summary], health.summary),
    ...(candidate.email === undefined ? [] : [layout.paint('dim', candidate.email)]),
  ]
  const passedOver = place === undefined ? candidate.why.words : undefined
  return lines(
    `  ${head.join('  ')}`,
    layout.facts(
      [
        ...(passedOver === undefined
          ? []
          : [['passed over', layout.paint('warn', passedOver)] as const]),
        ['from', fromCell(candidate, scene)],
        ['access', accessCell(health, scene)],
        ['grant', health.grant.words],
        ['quota', quotaCell(health, scene)],
        ['policy', policyCell(health, scene)],
        ...(candidate.probe ? [['probe', probeCell(candidate.probe, layout)] as const] : []),
      ],
      { indent: 5 },
    ),
  )
}

/** Where the credential stands; of a borrowed one first of all in whose home. */
function fromCell(candidate: CandidateJson, scene: Scene): Cell {
  const { ownerPlace, origin } = candidate
  const { show } = scene
  const held = sourceCell(candidate, scene)
  return ownerPlace === undefined
    ? held
    : `${borrowedWords(origin, show(ownerPlace))}, its access copied to ${held}`
}

function sourceCell({ source }: CandidateJson, { show, view }: Scene): Cell {
  if (view === 'gateway' && source.from === 'process') {
    return gatewayVariableWords(source.variable ?? '')
  }
  return withPathsShown(source.words, show)
}

/** One row per credential, for lists. */
export function candidateRow(candidate: CandidateJson, scene: Scene): readonly Cell[] {
  const { layout, now } = scene
  const { health, expiresAt } = candidate
  return [
    layout.paint('strong', candidate.profile),
    candidate.type,
    candidate.fingerprint,
    layout.paint(SUMMARY_ROLES[health.summary], health.summary),
    expiresAt === undefined ? '-' : `${relative(expiresAt, now)} (${dateText(expiresAt)})`,
    layout.paint('dim', sourceCell(candidate, scene)),
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

function accessCell({ access, summary }: HealthJson, { layout }: Scene): Cell {
  const { words } = access
  // Expired, and in order all the same: the next request renews it first.
  if (access.state === 'expired' && summary === 'ok') return `${words}, ${renewedOnUseWords()}`
  if (access.state !== 'usable') return layout.paint('bad', words)
  return summary === 'expiring' ? layout.paint('warn', words) : words
}

function quotaCell({ quota }: HealthJson, { layout }: Scene): Cell {
  return quota.state === 'resting' ? layout.paint('warn', quota.words) : quota.words
}

function policyCell({ policy }: HealthJson, { layout }: Scene): Cell {
  return policy.state === 'refused' ? layout.paint('bad', policy.words) : policy.words
}
