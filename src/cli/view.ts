/**
 * Whose view a report is. Where a gateway runs on this state folder, it is the gateway that serves: its environment may
 * differ from the shell's, and what it has learnt may not be on the disk yet. So it is asked first, and this process
 * judges by itself only where it cannot be asked.
 */

import type { GenericSchema } from 'valibot'
import type { Fault } from '../domain/fault.ts'
import type { GatewayClient } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { explain } from '../domain/explain.ts'
import type { ViewDifference } from '../domain/view.ts'
import {
  differencesWords,
  ownViewWords,
  viewDifferenceWords,
  viewWords,
} from '../domain/wording-view.ts'
import type { App } from '../services/app.ts'
import type { FaultJson } from '../wire/fault-json.ts'
import { faultJson } from '../wire/fault-json.ts'

/** `--view`; absent: the gateway's where one runs. */
export type ViewWish = 'gateway' | 'own'

/** A report with whose view it is. */
export interface Viewed<T> {
  readonly report: T
  readonly view: ViewWish
  /** The gateway that runs, and whose view this is or could not be had. */
  readonly gateway?: { readonly url: string; readonly pid: number; readonly version: string }
  /** How the view of this process differs, where that matters. */
  readonly differences: readonly ViewDifference[]
  /** Why a running gateway could not be asked. */
  readonly unheard?: Fault
  readonly wished: boolean
}

export interface Viewing<T> {
  readonly wish?: ViewWish
  /** Of the control API, with its query. */
  readonly path: string
  readonly schema: () => Promise<GenericSchema<unknown, T>>
  readonly own: () => Promise<Result<T, Fault>>
  readonly compare: (own: T, gateway: T) => Promise<readonly ViewDifference[]>
}

/** How long a gateway may take before this process judges by itself, ms. */
const PATIENCE_MS = 500

/** @faults the gateway's own answer; with the wish for its view, that there is none; those of `own` */
export async function viewed<T>(app: App, viewing: Viewing<T>): Promise<Result<Viewed<T>, Fault>> {
  const { wish, own } = viewing
  const wished = wish !== undefined
  const alone = async (more: Partial<Viewed<T>> = {}): Promise<Result<Viewed<T>, Fault>> => {
    const report = await own()
    if (!report.ok) return report
    return ok({ report: report.value, view: 'own', differences: [], wished, ...more })
  }
  if (wish === 'own') return alone()
  const client = await app.gatewayClient()
  if (!client.ok) {
    if (wish === 'gateway') return client
    return alone(client.fault.code === 'EQ_GATEWAY_DOWN' ? {} : { unheard: client.fault })
  }
  const { url, record } = client.value
  const gateway = { url, pid: record.pid, version: record.version }
  const [told, judged] = await Promise.all([askInTime(app, client.value, viewing), own()])
  if (!told.ok) {
    if (wish === 'gateway' || isAnswer(told.fault)) return told
    return judged.ok
      ? ok({
          report: judged.value,
          view: 'own',
          differences: [],
          wished,
          gateway,
          unheard: told.fault,
        })
      : judged
  }
  const differences: readonly ViewDifference[] = [
    ...(record.version === app.version
      ? []
      : [{ what: 'version' as const, gateway: record.version, own: app.version }]),
    ...(judged.ok ? await viewing.compare(judged.value, told.value) : []),
  ]
  return ok({ report: told.value, view: 'gateway', gateway, differences, wished })
}

async function askInTime<T>(
  app: App,
  client: GatewayClient,
  { path, schema }: Viewing<T>,
): Promise<Result<T, Fault>> {
  const limit = new AbortController()
  const done = new AbortController()
  void app.clock.sleep(PATIENCE_MS, done.signal).then(() => limit.abort())
  const [answer, { decodeOrDrop }, form] = await Promise.all([
    client.ask(path, limit.signal),
    import('../wire/decode.ts'),
    schema(),
  ])
  done.abort()
  if (!answer.ok) return answer
  const decoded = decodeOrDrop(form, answer.value)
  if (decoded !== undefined) return ok(decoded)
  const { pid, port, version } = client.record
  const detail = `what it answers is not known here (it is version ${version})`
  return fail({ code: 'EQ_GATEWAY_SILENT', pid, port, detail })
}

/** The gateway has judged what was asked. That it is about to stop, or too old to be asked, is no judgement. */
function isAnswer(fault: Fault): boolean {
  return (
    fault.code === 'EQ_GATEWAY_ANSWER' &&
    fault.faultCode !== 'EQ_GATEWAY_STOPPING' &&
    fault.faultCode !== 'EQ_ROUTE_UNKNOWN'
  )
}

/** The line that says whose view it is; empty where there is no choice, or the two are the same. */
export function viewLine(viewed: Viewed<unknown>): string {
  const { view, gateway, differences, unheard, wished } = viewed
  if (unheard) return ownViewWords(explain(unheard).message)
  if (differences.length === 0 && !wished) return ''
  return [viewWords(view, gateway), differencesWords(differences)]
    .filter((words) => words !== '')
    .join('. ')
}

export interface ViewJson {
  readonly view: ViewWish
  readonly gateway?: Viewed<unknown>['gateway']
  readonly gatewayFault?: FaultJson
  readonly differences: readonly (ViewDifference & { readonly words: string })[]
}

export function viewJson({ view, gateway, differences, unheard }: Viewed<unknown>): ViewJson {
  return {
    view,
    ...(gateway && { gateway }),
    ...(unheard && { gatewayFault: faultJson(unheard) }),
    differences: differences.map((entry) => ({ ...entry, words: viewDifferenceWords(entry) })),
  }
}
