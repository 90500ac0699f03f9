/** Requests as a ledger holds them. */

import fc from 'fast-check'
import { FAILURE_REASONS } from '../src/domain/cooldown.ts'
import type { RequestRecord } from '../src/domain/ledger.ts'
import { requestId } from '../src/domain/ledger.ts'
import { DAY_MS } from '../src/domain/time.ts'
import { FAKE_NOW } from '../src/testing.ts'
import { agent, profile, session } from './names-from.ts'

let made = 0

/** One that was served; it ended after a second. */
export function aRequest(given: Partial<RequestRecord> = {}): RequestRecord {
  const { at = FAKE_NOW, totalMs = 1_000 } = given
  made += 1
  return {
    id: requestId(at + totalMs, `t${made.toString(36).padStart(8, '0')}`),
    at,
    agent: agent('main'),
    asked: 'opus',
    model: 'anthropic/claude-test',
    profile: profile('anthropic:work'),
    lane: 'metered',
    outcome: 'served',
    attempts: 1,
    firstByteMs: 400,
    totalMs,
    usage: { inputTokens: 100, outputTokens: 20 },
    ...given,
  }
}

const count = fc.integer({ min: 0, max: 1_000_000 })
const usage = fc.record(
  { inputTokens: count, outputTokens: count, cacheReadTokens: count, cacheWriteTokens: count },
  { requiredKeys: ['inputTokens', 'outputTokens'] },
)

/** Any request of three days, with anything that may be absent absent. */
export const anyRequest: fc.Arbitrary<RequestRecord> = fc
  .record(
    {
      at: fc.integer({ min: FAKE_NOW, max: FAKE_NOW + 3 * DAY_MS }),
      agent: fc.constantFrom(agent('main'), agent('research')),
      session: fc.constantFrom(session('main'), session('monday')),
      client: fc.constantFrom('chat', 'claude-cli', "it's; --"),
      asked: fc.string({ minLength: 1, maxLength: 20 }),
      model: fc.constantFrom('anthropic/claude-test', 'openai/gpt-test'),
      profile: fc.constantFrom(profile('anthropic:work'), profile('openai:team')),
      lane: fc.constantFrom('subscription' as const, 'metered' as const),
      outcome: fc.constantFrom(
        'served' as const,
        'cut' as const,
        'failed' as const,
        'cancelled' as const,
      ),
      reason: fc.constantFrom(...FAILURE_REASONS),
      fault: fc.constantFrom('EQ_UPSTREAM_FAILED' as const, 'EQ_CREDENTIAL_NONE' as const),
      attempts: fc.integer({ min: 0, max: 5 }),
      firstByteMs: count,
      totalMs: count,
      usage,
      costUsd: fc.integer({ min: 0, max: 4_000 }).map((cents) => cents / 64),
    },
    { requiredKeys: ['at', 'agent', 'asked', 'outcome', 'attempts', 'totalMs'] },
  )
  .map((record) => {
    made += 1
    return { ...record, id: requestId(record.at, `p${made.toString(36).padStart(8, '0')}`) }
  })
