/** `models status`, `models auth explain` and `models auth list` as data. They rank with the code that requests use. */

import type { Fault, ForeignFault } from '../domain/fault.ts'
import type { CheckFinding } from '../domain/health.ts'
import type { ListedModel } from '../domain/models.ts'
import { aliasList, allowedModels, listModels, modelChain, resolveText } from '../domain/models.ts'
import type { AgentId, ModelKey, ProviderId, SessionId } from '../domain/names.ts'
import { formatModelKey, MAIN_AGENT } from '../domain/names.ts'
import { bindPin } from '../domain/pins.ts'
import type {
  Catalogue,
  FileCheck,
  FileProblem,
  ProfileStore,
  SessionStore,
  SettingsStore,
} from '../domain/ports.ts'
import type {
  CredentialsReport,
  ExplainReport,
  ModelListing,
  StatusReport,
} from '../domain/report.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { tried } from '../domain/rotation.ts'
import { endpointWords, leftOutWords } from '../domain/wording.ts'
import type { World } from '../domain/world.ts'
import { hasCredential, rankFor } from '../domain/world.ts'
import { checkAgents } from './check.ts'
import { candidateReports, providerReports } from './provider-report.ts'
import type { LoadWorld } from './world.ts'

export interface Report {
  status(options: {
    readonly agent?: AgentId
    readonly serving?: boolean
  }): Promise<Result<StatusReport, Fault>>
  explain(options: {
    readonly agent?: AgentId
    readonly session?: SessionId
    readonly model?: string
  }): Promise<Result<ExplainReport, Fault>>
  /**
   * Every stored profile and key of every provider, with the ranking for that provider.
   *
   * @faults the book's, when it cannot be read
   */
  credentials(options: {
    readonly agent?: AgentId
    readonly provider?: ProviderId
  }): Promise<Result<CredentialsReport, Fault>>
  /** The models to pick from; with `all`, every known model of the providers that are set up. */
  models(options: {
    readonly agent?: AgentId
    readonly provider?: ProviderId
    readonly all?: boolean
  }): Promise<Result<readonly ModelListing[], Fault>>
}

export interface ReportDeps {
  readonly catalogue: Catalogue
  readonly checkFiles: FileCheck
  readonly loadWorld: LoadWorld
  /** For what a request would meet: logins of other programs are taken over first. */
  readonly resolveWorld: LoadWorld
  readonly settings: SettingsStore
  readonly profiles: ProfileStore
  readonly sessions: SessionStore
}

export function createReport(deps: ReportDeps): Report {
  return {
    async status({ agent, serving }) {
      const loaded = await deps.resolveWorld(agent)
      if (!loaded.ok) return loaded
      const settings = await deps.settings.read()
      if (!settings.ok) return settings
      const world = loaded.value
      const checked = await checkAgents(
        deps.loadWorld,
        world,
        agent !== undefined,
        serving ?? false,
      )
      if (!checked.ok) return checked
      const allowed = allowedModels(world)
      return ok({
        agent: world.agent,
        now: world.now,
        configPath: settings.value.path,
        configExists: settings.value.exists,
        bookPath: deps.profiles.path(world.agent),
        chain: modelChain(world),
        aliases: aliasList(world.settings),
        ...(allowed && { allowed: allowed.map(formatModelKey) }),
        providers: providerReports(world, checked.value.inUse),
        missing: missingProviders(world, checked.value.check.findings),
        check: checked.value.check,
        warnWithinMs: world.settings.auth.warnWithinMs,
        ...(world.bookFault && { bookFault: world.bookFault }),
        foreign: foreignFaults(world),
        problems: [
          ...(await leftOut(deps.profiles, world.agent)),
          ...(await deps.checkFiles(settings.value, booksOf(deps.profiles, world.agent))),
        ],
        migrated: settings.value.migrated,
      })
    },

    explain: (options) => explainNext(deps, options),

    async credentials({ agent, provider }) {
      const loaded = await deps.loadWorld(agent)
      if (!loaded.ok) return loaded
      const world = loaded.value
      if (world.bookFault) return fail(world.bookFault)
      const reports = providerReports(world, new Set())
      return ok({
        agent: world.agent,
        now: world.now,
        providers: reports.filter((report) => !provider || report.provider === provider),
        problems: await leftOut(deps.profiles, world.agent),
      })
    },

    async models({ agent, provider, all }) {
      const loaded = await deps.loadWorld(agent)
      if (!loaded.ok) return loaded
      const world = loaded.value
      const listed = new Map(listModels(world).map((model) => [formatModelKey(model), model]))
      if (all) {
        for (const key of await knownKeys(deps, world, provider)) {
          const name = formatModelKey(key)
          if (!listed.has(name)) listed.set(name, { ...key, aliases: [], tags: [] })
        }
      }
      const shown = [...listed.values()].filter((model) => !provider || model.provider === provider)
      return ok(await Promise.all(shown.map((model) => modelListing(deps, world, model))))
    },
  }
}

/** What an agent uses stands in its own book and in that of `main`. */
function booksOf(profiles: ProfileStore, agent: AgentId): readonly string[] {
  return [...new Set([agent, MAIN_AGENT])].map((id) => profiles.path(id))
}

/** An owner that works with an API key has no login, and nothing is wrong with that. */
function foreignFaults(world: World): readonly ForeignFault[] {
  const seen = world.foreign
    .flatMap(({ reading }) => (reading.ok ? (reading.value?.remark ?? []) : reading.fault))
    .filter(({ code }) => code !== 'EQ_FOREIGN_KEY_ONLY')
  return [...seen, ...(world.notStored ?? [])]
}

/** What the book of an agent holds and nobody can use. */
async function leftOut(profiles: ProfileStore, agent: AgentId): Promise<readonly FileProblem[]> {
  const stored = await profiles.read(agent)
  return (stored.ok ? stored.value.problems : []).map(({ field, problem }) => ({
    field: `${profiles.path(agent)}: ${field}`,
    problem: leftOutWords(problem),
  }))
}

/** The candidates for the next request, and the same fault that it would meet where there is none to name. */
async function explainNext(
  deps: ReportDeps,
  { agent, session, model }: Parameters<Report['explain']>[0],
): Promise<Result<ExplainReport, Fault>> {
  const loaded = await deps.resolveWorld(agent)
  if (!loaded.ok) return loaded
  const world = loaded.value
  const head = session ? await deps.sessions.read(world.agent, session) : ok(undefined)
  if (!head.ok) return head
  if (session && !head.value) {
    return fail({ code: 'EQ_SESSION_UNKNOWN', session, agent: world.agent })
  }
  const resolved = resolveText(world, model ?? head.value?.model ?? '')
  if (!resolved.ok) return resolved
  const chosen = resolved.value
  const facts = world.providers.get(chosen.provider)
  if (!facts) return fail({ code: 'EQ_INTERNAL', detail: `no provider ${chosen.provider}` })
  const bound = bindPin(world, chosen, head.value?.pin)
  if (!bound.ok) return bound
  const pin = chosen.profile ?? bound.value.pin
  if (pin && !rankFor(world, chosen).some((entry) => entry.candidate.id === pin)) {
    return fail(world.bookFault ?? { code: 'EQ_PIN_UNUSABLE', profile: pin, why: { code: 'gone' } })
  }
  const chain = modelChain(world)
  const { keep } = bound.value
  const candidates = candidateReports(
    world,
    rankFor(world, chosen, pin, { ...(keep && !pin && { keep }) }),
  )
  const next = candidates.find((entry) => entry.place === 1)
  return ok({
    agent: world.agent,
    now: world.now,
    ...(session && { session }),
    model: { provider: chosen.provider, model: chosen.model },
    modelBecause:
      model !== undefined
        ? 'asked'
        : head.value?.model !== undefined
          ? 'session'
          : chain.ok
            ? chain.value.chosenBy
            : 'settings',
    ...(pin && { pin }),
    endpoint: endpointWords(facts),
    protocol: facts.protocol,
    candidates,
    ...(next && { next }),
  })
}

/** Of one provider, or of all that are set up. */
async function knownKeys(
  deps: ReportDeps,
  world: World,
  provider: ProviderId | undefined,
): Promise<readonly ModelKey[]> {
  const asked = [...world.providers.values()].filter((facts) =>
    provider ? facts.id === provider : hasCredential(world, facts),
  )
  const keys: ModelKey[] = []
  for (const facts of asked) {
    for (const { id } of await deps.catalogue(facts.id))
      keys.push({ provider: facts.id, model: id })
  }
  return keys
}

async function modelListing(
  deps: ReportDeps,
  world: World,
  model: ListedModel,
): Promise<ModelListing> {
  const catalogued = await deps.catalogue(model.provider)
  const configured = world.settings.models.providers.get(model.provider)?.models ?? []
  const known = [...configured, ...catalogued].find((entry) => entry.id === model.model)
  return {
    ...model,
    ...(known && { known }),
    usable: tried(rankFor(world, model)).length > 0,
  }
}

function missingProviders(
  world: World,
  findings: readonly CheckFinding[],
): StatusReport['missing'] {
  return findings
    .filter((finding) => finding.problem === 'none')
    .map(({ provider }) => ({
      provider,
      variables: world.providers.get(provider)?.variables ?? [],
    }))
}
