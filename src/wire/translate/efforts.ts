/** How hard a model is asked to think, in the words that it takes. A model that takes none is not asked. */

import type { Effort, NeutralRequest } from '../../domain/neutral.ts'
import type { Protocol } from '../../domain/provider.ts'

/** OpenAI's thinking families, also under the names that relays give them. */
const OPENAI_THINKS = /^(?:[\w-]+\/)?(?:o\d|gpt-[5-9]|gpt-oss)/
/** These know low, medium and high alone. */
const OPENAI_THREE_STEPS = /^(?:[\w-]+\/)?(?:o\d|gpt-oss)/

/** From these on, Claude decides itself how long it thinks and takes an effort. */
const CLAUDE_TAKES_EFFORT = /(?:^|[/.])claude-[a-z]+-(?:4-[6-9]|[5-9])/

export function takesEffort(protocol: Protocol, model: string): boolean {
  const takes = protocol === 'anthropic-messages' ? CLAUDE_TAKES_EFFORT : OPENAI_THINKS
  return takes.test(model)
}

export function openaiEffort({ model, effort }: NeutralRequest): Effort | undefined {
  if (effort === undefined || !takesEffort('openai-chat', model)) return undefined
  if (!OPENAI_THREE_STEPS.test(model)) return effort === 'max' ? 'xhigh' : effort
  if (effort === 'xhigh' || effort === 'max') return 'high'
  return effort === 'none' || effort === 'minimal' ? 'low' : effort
}

/** Fields of a Messages request. */
export function anthropicThinking({
  model,
  effort,
}: NeutralRequest): Readonly<Record<string, unknown>> & { readonly effort?: Effort } {
  if (effort === undefined || !takesEffort('anthropic-messages', model)) return {}
  if (effort === 'none') return { thinking: { type: 'disabled' } }
  return { thinking: { type: 'adaptive' }, effort: effort === 'minimal' ? 'low' : effort }
}
