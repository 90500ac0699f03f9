/**
 * Doctor's report as plain data that may be pasted in public: no secret, no mail address, paths from `~`.
 *
 * Every member is named here one by one, so nothing that a finding holds besides can get out.
 */

import type { DoctorReport, Mended } from '../domain/doctor-report.ts'
import type { Finding, Severity } from '../domain/finding.ts'
import { findingKey } from '../domain/finding.ts'
import { LEFT_RENEWING } from '../domain/finding-words-logins.ts'
import { tellFinding } from '../domain/finding-words.ts'
import { maskSecrets } from '../domain/secret-forms.ts'
import type { Telling } from '../domain/telling.ts'
import { tellFault } from '../domain/telling.ts'
import type { FaultJson } from './fault-json.ts'

export interface DoctorFindingJson {
  /** Stable, such as `DR_FILE_OPEN`; see docs/doctor.md. */
  readonly code: string
  readonly severity: Severity
  readonly message: string
  /** The command to type, or the change to make; empty when there is nothing to do. */
  readonly fix: string
  /** `doctor --fix` can do something about it. */
  readonly fixable: boolean
  /** With `--fix`: whether it is put right now. */
  readonly fixed?: boolean
  /** Why it could not be put right. */
  readonly error?: Pick<FaultJson, 'code' | 'message' | 'hint'>
  /** A book's last good copy was put back: the profiles that are known to be missing in it. */
  readonly lost?: readonly string[]
  /** Why it was left as it is, though it could have been put right. */
  readonly left?: string
  readonly backups?: readonly string[]
}

export interface DoctorJson {
  /** Nothing is wrong, or nothing is any more. */
  readonly ok: boolean
  readonly findings: readonly DoctorFindingJson[]
  readonly adopted: readonly { readonly profile: string; readonly outcome: string }[]
  readonly looked: DoctorReport['looked']
}

/**
 * What `doctor --json` prints.
 *
 * @param report as it is now, after mending
 * @param mended what was put right, or tried to be, before
 */
export function doctorJson(
  report: DoctorReport,
  mended: readonly Mended[] | undefined,
  show: Telling['show'],
): DoctorJson {
  const telling: Telling = { show, now: report.now }
  const left = new Set(report.findings.map(findingKey))
  const gone = (mended ?? []).filter(({ finding }) => !left.has(findingKey(finding)))
  const tried = new Map((mended ?? []).map((entry) => [findingKey(entry.finding), entry]))
  const { files, agents, profiles, checks, skipped } = report.looked
  return {
    ok: report.ok,
    findings: [
      ...report.findings.map((finding) => ({
        ...findingJson(finding, telling),
        ...(mended && { fixed: false }),
        ...mendedJson(tried.get(findingKey(finding)), telling),
      })),
      ...gone.map((entry) => ({
        ...findingJson(entry.finding, telling),
        fixed: true,
        ...mendedJson(entry, telling),
      })),
    ],
    adopted: report.adopted.map(({ profile, outcome }) => ({
      profile: publicText(profile),
      outcome: publicText(outcome),
    })),
    looked: { files, agents, profiles, checks: [...checks], skipped: [...skipped] },
  }
}

function findingJson(finding: Finding, telling: Telling): DoctorFindingJson {
  const { message, fix } = tellFinding(finding, telling)
  return {
    code: finding.code,
    severity: finding.severity,
    message: publicText(message),
    fix: publicText(fix),
    fixable: finding.fixable,
  }
}

function mendedJson(
  mended: Mended | undefined,
  telling: Telling,
): Pick<DoctorFindingJson, 'error' | 'lost' | 'left' | 'backups'> {
  if (!mended) return {}
  const { fault, backups } = mended
  const told = fault && tellFault(fault, telling)
  return {
    ...(fault &&
      told && {
        error: {
          code: fault.code,
          message: publicText(told.message),
          hint: publicText(told.fix),
        },
      }),
    ...(mended.lost && { lost: mended.lost.map(publicText) }),
    ...(mended.renewing && { left: LEFT_RENEWING }),
    ...(backups.length > 0 && {
      backups: backups.map((path) => publicText(telling.show(path))),
    }),
  }
}

const MAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g

/** Without what looks like a secret or a mail address. */
function publicText(text: string): string {
  return maskSecrets(text).replace(MAIL, '[mail]')
}
