/** Conversations: turns of a session, its model and pin. What is typed after a slash is answered in `slash-answers.ts`. */

import type { ChatMessage, TurnEvent, TurnRequest } from '../domain/chat.ts'
import type { Fault } from '../domain/fault.ts'
import type { ResolvedModel } from '../domain/models.ts'
import { aliasesOf, modelChain, resolveText } from '../domain/models.ts'
import { formatModelKey } from '../domain/names.ts'
import { bindChain } from '../domain/pins.ts'
import type { Catalogue, SessionHead } from '../domain/ports.ts'
import type { Protocol } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { newSession } from '../domain/session.ts'
import type { SlashCommand } from '../domain/slash.ts'
import { parseSlash } from '../domain/slash.ts'
import { waitWords } from '../domain/wording-choice.ts'
import type { World } from '../domain/world.ts'
import type { ReplyDeps, Turn } from './chat-reply.ts'
import { reply } from './chat-reply.ts'
import type { Wait } from './choice.ts'
import type { Crossings } from './crossings.ts'
import type { Dispatch, Served } from './dispatch.ts'
import { guessCommand } from './model-guess.ts'
import type { RecordRefusal } from './refusals.ts'
import type { SlashAnswer } from './slash-answers.ts'
import { answerSlash } from './slash-answers.ts'
import type { LoadWorld } from './world.ts'

export interface Conversation {
  /** The events of one turn; the last is `finished` or `failed`. Aborting stops the upstream and keeps what came. */
  turn(request: TurnRequest, signal: AbortSignal): AsyncIterable<TurnEvent>
}

export interface ConversationDeps extends ReplyDeps {
  readonly loadWorld: LoadWorld
  readonly dispatch: Dispatch
  /** Models that a person may mean beside those of the config; absent: none. */
  readonly catalogue?: Catalogue
  /** Absent: nobody remembers who paid. */
  readonly crossings?: Crossings
  /** Absent: nobody keeps a record of turns that are refused at once. */
  readonly refused?: RecordRefusal
}

/** Longest reply that is asked for, tokens. */
const MAX_REPLY_TOKENS = 4_096

export function createConversation(deps: ConversationDeps): Conversation {
  const busy = new Set<string>()
  return {
    async *turn(request, signal) {
      const loaded = await deps.loadWorld(request.agent)
      if (!loaded.ok) {
        yield { type: 'failed', fault: loaded.fault }
        return
      }
      const key = `${loaded.value.agent}/${request.session}`
      if (busy.has(key)) {
        yield { type: 'failed', fault: { code: 'EQ_SESSION_BUSY', session: request.session } }
        return
      }
      busy.add(key)
      try {
        yield* runTurn(deps, loaded.value, request, signal)
      } finally {
        busy.delete(key)
      }
    },
  }
}

async function* runTurn(
  deps: ConversationDeps,
  world: World,
  request: TurnRequest,
  signal: AbortSignal,
): AsyncIterable<TurnEvent> {
  const read = await deps.sessions.read(world.agent, request.session)
  if (!read.ok) {
    yield { type: 'failed', fault: read.fault }
    return
  }
  const head = read.value ?? newSession(world.agent, request.session, world.now)
  const aliases = [...aliasesOf(world.settings).values()].map((entry) => entry.alias)
  const command = parseSlash(request.message, aliases)
  if (!command) {
    yield* chatTurn(deps, world, head, request, signal)
    return
  }
  const answer = command.ok ? await applySlash(deps, world, head, command.value) : command
  if (!answer.ok) {
    yield { type: 'failed', fault: answer.fault }
    return
  }
  const { text, message } = answer.value
  yield { type: 'command', text }
  if (message === undefined) yield { type: 'finished', stopReason: 'command' }
  else yield* chatTurn(deps, world, answer.value.head ?? head, { ...request, message }, signal)
}

async function applySlash(
  deps: ConversationDeps,
  world: World,
  head: SessionHead,
  command: SlashCommand,
): Promise<Result<SlashAnswer, Fault>> {
  const guessed = await guessCommand(world, command, deps.catalogue)
  if (!guessed.ok) return guessed
  const crossing = deps.crossings?.last(head.agent, head.id)
  const answer = answerSlash(world, head, guessed.value, crossing)
  if (!answer.ok || !answer.value.head) return answer
  const changed = answer.value.head
  const written = await deps.sessions.update(head.agent, head.id, () => changed)
  return written.ok ? answer : written
}

async function* chatTurn(
  deps: ConversationDeps,
  world: World,
  head: SessionHead,
  request: TurnRequest,
  signal: AbortSignal,
): AsyncIterable<TurnEvent> {
  const history = await deps.sessions.transcript(world.agent, head.id)
  if (!history.ok) {
    yield { type: 'failed', fault: history.fault }
    return
  }
  const turn: Turn = {
    ...request,
    past: history.value.filter(({ at }) => at >= (head.startedAt ?? 0)),
  }
  let announce: (wait: Wait) => void = () => undefined
  const firstWait = new Promise<Wait>((resolve) => {
    announce = resolve
  })
  const serving = serveTurn(deps, world, head, turn, signal, (wait) => announce(wait))
  const begun = await Promise.race([serving, firstWait])
  if ('until' in begun) {
    yield { type: 'notice', text: waitWords(begun.profile, begun.until, deps.clock.now()) }
  }
  const served = await serving
  if (served.ok) yield* reply(deps, head, turn, served.value, signal)
  else yield { type: 'failed', fault: served.fault }
}

async function serveTurn(
  deps: ConversationDeps,
  world: World,
  head: SessionHead,
  request: Turn,
  signal: AbortSignal,
  onWait: (wait: Wait) => void,
): Promise<Result<Served, Fault>> {
  const models = chooseModels(world, head, request.model)
  if (!models.ok) return refuse(deps, head, request, models)
  const bound = bindChain(world, models.value, head.pin)
  if (!bound.ok) return refuse(deps, head, request, bound)
  const messages = conversationSoFar(request)
  const system = world.settings.agents.defaults.system

  return deps.dispatch({
    world,
    ...bound.value,
    ...askedFor(request.model ?? head.model),
    session: head.id,
    client: 'chat',
    onWait,
    encode: (facts, model) => {
      const codec = deps.codecs[facts.protocol]
      if (!codec) return fail(unspoken(formatModelKey(model), facts.protocol))
      const body = codec.encode({
        model: model.model,
        ...(system !== undefined && { system }),
        messages,
        maxTokens: MAX_REPLY_TOKENS,
      })
      return ok({ path: codec.path, headers: {}, body })
    },
    signal,
  })
}

/** The turn ends before anybody is asked, which is worth a record. */
function refuse<R extends { readonly ok: false; readonly fault: Fault }>(
  { refused, clock }: ConversationDeps,
  { agent, id, model = '' }: SessionHead,
  request: Turn,
  outcome: R,
): R {
  const asked = request.model ?? model
  refused?.({ at: clock.now(), agent, session: id, client: 'chat', asked, fault: outcome.fault })
  return outcome
}

function askedFor(asked: string | undefined): { readonly asked?: string } {
  return asked === undefined ? {} : { asked }
}

/** The model of this turn, else of the session, else the default with its fallbacks. */
function chooseModels(
  world: World,
  head: SessionHead,
  asked: string | undefined,
): Result<readonly ResolvedModel[], Fault> {
  const text = asked ?? head.model
  if (text !== undefined) {
    const model = resolveText(world, text)
    return model.ok ? ok([model.value]) : model
  }
  const chain = modelChain(world)
  return chain.ok ? ok([chain.value.primary, ...chain.value.fallbacks]) : chain
}

function conversationSoFar({ past, message }: Turn): readonly ChatMessage[] {
  const before = past.filter((entry) => entry.text !== '')
  return [...before.map(({ role, text }) => ({ role, text })), { role: 'user', text: message }]
}

/** The provider has no dialect in which a chat turn can be put. */
export function unspoken(model: string, protocol: Protocol): Fault {
  return {
    code: 'EQ_REQUEST_PROTOCOL',
    model,
    asked: 'a chat turn',
    spoken: protocol,
    path: 'a client of that protocol',
  }
}
