/** Status and explanation, from the running gateway's view or this process's own. */

import type { Fault } from '../domain/fault.ts'
import type { AgentId, SessionId } from '../domain/names.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { SeenReport, ViewDifference } from '../domain/view.ts'
import { viewDifferences } from '../domain/view.ts'
import type { App } from '../services/app.ts'
import type { ExplainJson, StatusJson } from '../wire/report-json.ts'
import { explainJson, statusJson } from '../wire/report-json.ts'
import type { Viewed, ViewWish } from './view.ts'
import { viewed } from './view.ts'

export function viewedStatus(
  app: App,
  {
    agent,
    serving,
    view,
  }: { readonly agent?: AgentId; readonly serving?: boolean; readonly view?: ViewWish },
): Promise<Result<Viewed<StatusJson>, Fault>> {
  return viewed<StatusJson>(app, {
    ...(view && { wish: view }),
    path: withQuery('/api/status', { agent }),
    schema: async () => (await import('../wire/control-schema.ts')).STATUS,
    async own() {
      const reported = await app.report.status({
        ...(agent !== undefined && { agent }),
        ...(serving !== undefined && { serving }),
      })
      return reported.ok ? ok(statusJson(reported.value)) : reported
    },
    compare: (own, gateway) => differences(app, agent, seenStatus(own), seenStatus(gateway)),
  })
}

export function viewedExplain(
  app: App,
  {
    view,
    ...asked
  }: {
    readonly agent?: AgentId
    readonly session?: SessionId
    readonly model?: string
    readonly view?: ViewWish
  },
): Promise<Result<Viewed<ExplainJson>, Fault>> {
  return viewed<ExplainJson>(app, {
    ...(view && { wish: view }),
    path: withQuery('/api/explain', asked),
    schema: async () => (await import('../wire/control-schema.ts')).EXPLAIN,
    async own() {
      const world = await app.loadWorld(asked.agent)
      if (!world.ok) return world
      if (world.value.bookFault) return fail(world.value.bookFault)
      const explained = await app.report.explain(asked)
      return explained.ok ? ok(explainJson(explained.value)) : explained
    },
    compare: (own, gateway) =>
      differences(app, asked.agent, seenExplain(own), seenExplain(gateway)),
  })
}

function withQuery(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, value)
  }
  return query.size === 0 ? path : `${path}?${query.toString()}`
}

async function differences(
  app: App,
  agent: AgentId | undefined,
  own: SeenReport,
  gateway: SeenReport,
): Promise<readonly ViewDifference[]> {
  const world = await app.loadWorld(agent)
  if (!world.ok) return []
  const { environment, fingerprint } = world.value
  const variables = [...environment].map(([name, { value }]) => [name, fingerprint(value)] as const)
  return viewDifferences(own, gateway, new Map(variables))
}

function seenStatus({ model, configPath, providers }: StatusJson): SeenReport {
  return {
    ...(model !== undefined && { model }),
    configPath,
    credentials: providers.flatMap(({ candidates }) => candidates),
  }
}

function seenExplain({ model, candidates }: ExplainJson): SeenReport {
  return { model, credentials: candidates }
}
