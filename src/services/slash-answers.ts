/** Answers to slash commands, and what each changes in the session. Texts are short lines that fit any chat surface. */

import type { Crossing } from '../domain/event.ts'
import type { Fault } from '../domain/fault.ts'
import { listModels, modelChain, pinFor, resolveModel, resolveText } from '../domain/models.ts'
import type { ResolvedModel } from '../domain/models.ts'
import type { ModelMatch } from '../domain/model-match.ts'
import type { ModelRef } from '../domain/names.ts'
import { formatModelKey, parseProviderId, sameModel } from '../domain/names.ts'
import type { BoundPin } from '../domain/pins.ts'
import { bindPin, userPin } from '../domain/pins.ts'
import type { SessionHead } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { tried } from '../domain/rotation.ts'
import type { SlashCommand } from '../domain/slash.ts'
import { SLASH_COMMANDS } from '../domain/slash.ts'
import { relative } from '../domain/time.ts'
import { endpointWords, turnsWords, verdictWords } from '../domain/wording.ts'
import { matchWords, pinWords } from '../domain/wording-choice.ts'
import { sessionPayerWords } from '../domain/wording-event.ts'
import type { World } from '../domain/world.ts'
import { hasCredential, rankFor } from '../domain/world.ts'
import { unknownProvider } from '../domain/unknown.ts'

export interface SlashAnswer {
  readonly text: string
  /** The session as it is now, when the command changed it. */
  readonly head?: SessionHead
  /** What is left to be sent to the model. */
  readonly message?: string
}

/**
 * @param crossing when it was last somebody else who paid in this session
 * @faults those of models and profiles, `EQ_SLASH_NUMBER`; nothing is changed then
 */
export function answerSlash(
  world: World,
  head: SessionHead,
  command: SlashCommand,
  crossing?: Crossing,
): Result<SlashAnswer, Fault> {
  switch (command.name) {
    case 'help':
      return ok({ text: helpText() })
    case 'model_list':
      return modelPicker(world, head)
    case 'model_pick':
      return pickModel(world, head, command.number)
    case 'model_set':
      return setModel(world, head, command.ref, command.match)
    case 'model_unpin':
      return ok(unpin(world, head))
    case 'model_status':
      return modelStatus(world, head, crossing)
    case 'models':
      return modelsText(world, command.provider)
    case 'status':
      return sessionStatus(world, head)
    case 'new':
      return ok(startAfresh(world, head, command.rest))
    default:
      return command satisfies never
  }
}

function helpText(): string {
  const width = Math.max(...SLASH_COMMANDS.map(({ usage }) => usage.length))
  return SLASH_COMMANDS.map(({ usage, gives }) => `${usage.padEnd(width)}  ${gives}`).join('\n')
}

function modelPicker(world: World, head: SessionHead): Result<SlashAnswer, Fault> {
  const current = currentModel(world, head)
  if (!current.ok) return current
  const lines = listModels(world).map((model, index) => {
    const aliases = model.aliases.length > 0 ? ` (${model.aliases.join(', ')})` : ''
    const mark = sameModel(model, current.value) ? '  ← now' : ''
    return `${String(index + 1).padStart(3)}) ${formatModelKey(model)}${aliases}${mark}`
  })
  return ok({
    text: [
      `Model now: ${formatModelKey(current.value)}${pinText(head, current.value)}`,
      'Pick one: /model <number>, /model <model or alias>, or with @<profile> to pin a credential',
      ...lines,
      '',
      'Who would serve, and why: /model status',
    ].join('\n'),
  })
}

function pickModel(world: World, head: SessionHead, number: number): Result<SlashAnswer, Fault> {
  const models = listModels(world)
  const picked = models[number - 1]
  if (!picked) return fail({ code: 'EQ_SLASH_NUMBER', number, count: models.length })
  return setModel(world, head, { provider: picked.provider, model: picked.model })
}

function setModel(
  world: World,
  head: SessionHead,
  ref: ModelRef,
  match?: ModelMatch,
): Result<SlashAnswer, Fault> {
  const found = resolveModel(world, ref)
  if (!found.ok) return found
  const model = found.value
  const pin = model.profile
    ? userPin(world, model.profile)
    : pinFor(model, head.pin?.profile) && head.pin
  const chain = modelChain(world)
  const isDefault = chain.ok && sameModel(chain.value.primary, model)
  const { model: _model, pin: _pin, ...rest } = head
  const changed: SessionHead = {
    ...rest,
    updatedAt: world.now,
    // A pin without its model would wake up with another default.
    ...((!isDefault || pin?.source === 'user') && { model: formatModelKey(model) }),
    ...(pin && { pin }),
  }
  const alias = model.alias === undefined ? '' : ` (${model.alias})`
  const kind = isDefault ? ', the default' : ''
  const text = `Model of this session: ${formatModelKey(model)}${alias}${kind}${pinText(changed, model)}${match ? matchWords(match) : ''}`
  return ok({ text, head: changed })
}

function unpin(world: World, head: SessionHead): SlashAnswer {
  if (!head.pin) return { text: 'This session has no pin' }
  const { pin, ...rest } = head
  const tie = pin.source === 'user' ? 'pinned to' : 'kept on'
  return { text: `No longer ${tie} ${pin.profile}`, head: { ...rest, updatedAt: world.now } }
}

function modelStatus(
  world: World,
  head: SessionHead,
  crossing: Crossing | undefined,
): Result<SlashAnswer, Fault> {
  const current = currentModel(world, head)
  if (!current.ok) return current
  const model = current.value
  const facts = world.providers.get(model.provider)
  const bound = bindPin(world, model, head.pin)
  if (!bound.ok) return bound
  const ranked = rankFor(world, model, bound.value.pin, bound.value)
  const next = tried(ranked)[0]
  const lines = ranked.map((entry, index) => {
    const mark = entry.candidate === next ? 'next' : entry.taken ? `${index + 1}.` : '–'
    return `  ${mark.padEnd(5)}${entry.candidate.id}: ${verdictWords(entry, world.now)}`
  })
  const endpoint = facts && endpointWords(facts)
  return ok({
    text: [
      `Model: ${formatModelKey(model)}${pinText(head, model, bound.value)}`,
      `Agent: ${world.agent}`,
      `Endpoint: ${endpoint ?? 'unknown'}, protocol ${facts?.protocol ?? 'unknown'}`,
      ...fallbackLines(world, head),
      ...sessionPayerWords(head.pin, crossing, world.now),
      'Credentials:',
      ...(lines.length > 0 ? lines : ['  none']),
    ].join('\n'),
  })
}

function modelsText(world: World, provider: string | undefined): Result<SlashAnswer, Fault> {
  const models = listModels(world)
  if (provider === undefined) {
    const providers = [...world.providers.values()]
      .filter(
        (facts) =>
          hasCredential(world, facts) || models.some((model) => model.provider === facts.id),
      )
      .map(
        (facts) => `${facts.id}: ${models.filter((model) => model.provider === facts.id).length}`,
      )
    return ok({
      text: [
        ...providers,
        '',
        'Models of one: /models <provider>. Any id of a provider works: /model <provider>/<id>',
      ].join('\n'),
    })
  }
  const id = parseProviderId(provider)
  const facts = id && world.providers.get(id)
  if (!facts) {
    return fail(unknownProvider(provider, [...world.providers.keys()]))
  }
  const own = models.filter((model) => model.provider === facts.id).map(formatModelKey)
  const lines = own.length > 0 ? own : [`No model of ${facts.id} is configured`]
  return ok({ text: [...lines, '', `Any id works: /model ${facts.id}/<id>`].join('\n') })
}

function sessionStatus(world: World, head: SessionHead): Result<SlashAnswer, Fault> {
  const current = currentModel(world, head)
  if (!current.ok) return current
  const bound = bindPin(world, current.value, head.pin)
  if (!bound.ok) return bound
  const next = tried(rankFor(world, current.value, bound.value.pin, bound.value))[0]
  return ok({
    text: [
      `Session: ${head.id} of agent ${world.agent}, ${turnsWords(head.turns)}, begun ${relative(head.createdAt, world.now)}`,
      `Model: ${formatModelKey(current.value)}${pinText(head, current.value)}`,
      next
        ? `Credential: ${next.id} (${next.lane})`
        : 'Credential: none can serve; see /model status',
    ].join('\n'),
  })
}

/** Fallbacks stand in for the default model alone, and then with credentials of their own. */
function fallbackLines(world: World, head: SessionHead): readonly string[] {
  const chain = modelChain(world)
  if (head.model !== undefined || !chain.ok || chain.value.fallbacks.length === 0) return []
  return [`If it cannot serve: ${chain.value.fallbacks.map(formatModelKey).join(', ')}`]
}

/** The model and a person's pin stay. What was kept for the prompt cache goes: a new conversation has none. */
function startAfresh(world: World, head: SessionHead, rest: string): SlashAnswer {
  const { pin, ...others } = head
  return {
    text: 'A new conversation',
    head: {
      ...others,
      ...(pin?.source === 'user' && { pin }),
      startedAt: world.now,
      updatedAt: world.now,
    },
    ...(rest !== '' && { message: rest }),
  }
}

function currentModel(world: World, head: SessionHead): Result<ResolvedModel, Fault> {
  return resolveText(world, head.model ?? '')
}

function pinText(head: SessionHead, model: ResolvedModel, bound: BoundPin = {}): string {
  return pinFor(model, head.pin?.profile) && head.pin ? `, ${pinWords(head.pin, bound.pin)}` : ''
}
