/** How probes stand on the screen: a line for each credential, then what to do about those that do not serve. */

import { formatModelKey } from '../domain/names.ts'
import type { ProbeReport, ProbeResult, ProbeStatus } from '../domain/probe.ts'
import type { EpochMs } from '../domain/time.ts'
import { nothingToProbeWords, probeFix, probeSummary, probeWords } from '../domain/wording-probe.ts'
import type { ProbeResultJson } from '../wire/probe-json.ts'
import type { Cell, Layout, Role } from './layout.ts'
import { lines, sections } from './layout.ts'

export function probeScreen(report: ProbeReport, layout: Layout): string {
  const { results, now } = report
  if (results.length === 0) return nothingToProbeWords()
  const head = ['Profile', 'Status', 'HTTP', 'Time', 'Model', 'At'].map(layout.heading)
  const rows = results.map((result) => [
    layout.paint('strong', result.candidate.id),
    layout.paint(roleOf(result.status), result.status),
    result.http === undefined ? '-' : String(result.http),
    result.latencyMs === undefined ? '-' : timeText(result.latencyMs),
    result.model ? formatModelKey(result.model) : '-',
    layout.paint('dim', result.host),
  ])
  return sections(
    layout.table([head, ...rows]),
    probeSummary(report),
    ...results.map((result) => adviceBlock(result, now, layout)),
  )
}

/** One probe in one cell, for `models status`. */
export function probeCell(result: ProbeResultJson, layout: Layout): Cell {
  const { status, httpStatus, latencyMs, model, words } = result
  const facts = [
    ...(httpStatus === undefined ? [] : [`HTTP ${httpStatus}`]),
    ...(latencyMs === undefined ? [] : [timeText(latencyMs)]),
    ...(model === undefined ? [] : [model]),
  ]
  const said = status === 'ok' ? facts : [...facts, words]
  return `${layout.paint(roleOf(status), status)}${said.length > 0 ? `  ${said.join(', ')}` : ''}`
}

function adviceBlock(result: ProbeResult, now: EpochMs, layout: Layout): string {
  const { status, candidate } = result
  if (status === 'ok' || status === 'cancelled') return ''
  const fix = probeFix(result, now)
  const who = layout.paint(roleOf(status), candidate.id)
  return lines(
    layout.paragraph(`${who}: ${layout.paint('dim', probeWords(result, now))}`, { indent: 2 }),
    fix === '' ? '' : layout.paragraph(`Next: ${fix}`, { indent: 4, first: '  ' }),
  )
}

function roleOf(status: ProbeStatus): Role {
  if (status === 'ok') return 'good'
  if (status === 'skipped' || status === 'cancelled') return 'dim'
  const passing = status === 'rate_limit' || status === 'overloaded' || status === 'no_model'
  return passing ? 'warn' : 'bad'
}

function timeText(ms: number): string {
  return ms < 10_000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`
}
