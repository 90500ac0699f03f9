/** What `/model` with part of a name means: the one model that it can only mean, or those that it may. */

import type { Fault } from '../domain/fault.ts'
import type { NamedModel } from '../domain/model-match.ts'
import { clearMatch, matchModels } from '../domain/model-match.ts'
import { allowedModels, listModels, resolveModel } from '../domain/models.ts'
import type { ModelRef } from '../domain/names.ts'
import { formatModelKey, sameModel } from '../domain/names.ts'
import type { Catalogue } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { SlashCommand } from '../domain/slash.ts'
import type { World } from '../domain/world.ts'
import { hasCredential } from '../domain/world.ts'

/** So many are named where several may be meant. */
const MOST_NAMED = 5

/**
 * The command with the model in full, where that is certain. A name that is known, or that begins with its provider, is
 * taken as it is; nothing is ever guessed between two.
 *
 * @faults `EQ_MODEL_AMBIGUOUS`
 */
export async function guessCommand(
  world: World,
  command: SlashCommand,
  catalogue: Catalogue | undefined,
): Promise<Result<SlashCommand, Fault>> {
  if (command.name !== 'model_set' || command.ref.provider) return ok(command)
  const { ref } = command
  const known = await knownModels(world, catalogue)
  if (isKnown(world, ref, known)) return ok(command)
  const matches = matchModels(ref.model, known)
  const match = clearMatch(matches)
  if (match) {
    const { provider, model } = match.model
    return ok({ ...command, ref: { ...ref, provider, model }, match })
  }
  const likely = matches.filter(({ likeness }) => likeness !== 'near')
  if (likely.length === 0) return ok(command)
  return fail({
    code: 'EQ_MODEL_AMBIGUOUS',
    model: ref.model,
    matches: likely
      .slice(0, MOST_NAMED)
      .map(({ model, score }) => ({ model: formatModelKey(model), score })),
  })
}

/** An alias, the default, or a model that is known by exactly this name. */
function isKnown(world: World, ref: ModelRef, known: readonly NamedModel[]): boolean {
  if (ref.model.toLowerCase() === 'default') return true
  const found = resolveModel(world, ref)
  if (!found.ok) return found.fault.code !== 'EQ_MODEL_UNKNOWN'
  return found.value.alias !== undefined || known.some((entry) => sameModel(entry, found.value))
}

/** The models of the config, and those that its providers are known to have. */
async function knownModels(
  world: World,
  catalogue: Catalogue | undefined,
): Promise<readonly NamedModel[]> {
  const listed = listModels(world)
  if (!catalogue) return listed
  const allowed = allowedModels(world)
  const models: NamedModel[] = [...listed]
  for (const facts of world.providers.values()) {
    if (!hasCredential(world, facts)) continue
    for (const { id } of await catalogue(facts.id)) {
      const key = { provider: facts.id, model: id, aliases: [] }
      if (!allowed || allowed.some((entry) => sameModel(entry, key))) models.push(key)
    }
  }
  return models
}
