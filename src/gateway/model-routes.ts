/** `GET /v1/models`: the models that may be asked for, as the caller's SDK expects to read them. */

import { agentFor, mayUse } from '../domain/client.ts'
import type { Fault } from '../domain/fault.ts'
import { formatModelKey } from '../domain/names.ts'
import type { ModelListing } from '../domain/report.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import type { Dialect } from './dialect.ts'
import type { Exchange } from './exchange.ts'
import { namedAgent, sendJson } from './exchange.ts'
import type { Route } from './routes.ts'

interface NamedModel {
  /** What a client writes in the `model` field: `provider/model` or an alias. */
  readonly id: string
  readonly title: string
  readonly provider: string
}

export function modelRoutes(app: Pick<App, 'report' | 'loadWorld'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/models',
      async handle(exchange) {
        const models = await namedModels(app, exchange)
        if (!models.ok) return models
        sendJson(exchange, 200, renderList(models.value, exchange.dialect))
        return ok()
      },
    },
    {
      method: 'GET',
      path: '/v1/models/{id*}',
      async handle(exchange) {
        const models = await namedModels(app, exchange)
        if (!models.ok) return models
        const id = exchange.parameters['id'] ?? ''
        const model = models.value.find((entry) => entry.id === id)
        if (!model) return fail({ code: 'EQ_MODEL_UNKNOWN', model: id, nearest: [] })
        sendJson(exchange, 200, renderModel(model, exchange.dialect))
        return ok()
      },
    },
  ]
}

async function namedModels(
  app: Pick<App, 'report' | 'loadWorld'>,
  { request, caller }: Exchange,
): Promise<Result<readonly NamedModel[], Fault>> {
  const named = namedAgent(request.headersDistinct['x-equabot-agent']?.[0])
  if (!named.ok) return named
  const agent = agentFor(caller, named.value)
  if (!agent.ok) return agent
  const listed = await app.report.models(agent.value ? { agent: agent.value } : {})
  if (!listed.ok) return listed
  if (caller.kind !== 'client' || !caller.client.models) return ok(listed.value.flatMap(namesOf))
  const loaded = await app.loadWorld(agent.value)
  if (!loaded.ok) return loaded
  const usable = listed.value.filter((model) => mayUse(caller, loaded.value, model))
  return ok(usable.flatMap(namesOf))
}

function namesOf(model: ModelListing): readonly NamedModel[] {
  const key = formatModelKey(model)
  const { provider } = model
  return [
    { id: key, title: model.known?.name ?? key, provider },
    ...model.aliases.map((alias) => ({ id: alias, title: `${alias} (${key})`, provider })),
  ]
}

function renderList(models: readonly NamedModel[], dialect: Dialect): unknown {
  const data = models.map((model) => renderModel(model, dialect))
  if (dialect !== 'anthropic') return { object: 'list', data }
  const [first, last] = [models[0], models.at(-1)]
  return { data, has_more: false, first_id: first?.id ?? null, last_id: last?.id ?? null }
}

/** Both dialects demand a day of birth, which is not known here: the epoch stands for it, as at the providers. */
function renderModel({ id, title, provider }: NamedModel, dialect: Dialect): unknown {
  return dialect === 'anthropic'
    ? { type: 'model', id, display_name: title, created_at: '1970-01-01T00:00:00Z' }
    : { id, object: 'model', created: 0, owned_by: provider }
}
