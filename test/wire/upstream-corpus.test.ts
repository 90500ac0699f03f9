/**
 * Answers of providers as they were seen, each with its source, and what they mean.
 *
 * Every rule is needed: without any one of them, and without any one code or status of one, some answer is misjudged.
 */

import { readdirSync, readFileSync } from 'node:fs'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { FAILURE_REASONS, REST_SCOPES } from '../../src/domain/cooldown.ts'
import type { FailureRule } from '../../src/wire/failure-rules.ts'
import { FAILURE_RULES } from '../../src/wire/failure-rules.ts'
import { createReplyJudge } from '../../src/wire/upstream-reply.ts'

const NOW = Date.UTC(2026, 10, 22, 12)
const FOLDER = new URL('../fixtures/upstream/', import.meta.url)

const Case = v.strictObject({
  name: v.pipe(v.string(), v.nonEmpty()),
  protocol: v.picklist(['anthropic-messages', 'openai-chat']),
  status: v.number(),
  headers: v.record(v.string(), v.string()),
  /** A text is the body as it came; anything else is its JSON. */
  body: v.unknown(),
  source: v.pipe(v.string(), v.startsWith('https://')),
  expect: v.strictObject({
    reason: v.picklist(FAILURE_REASONS),
    scope: v.exactOptional(v.picklist(REST_SCOPES)),
    retryAfterMs: v.exactOptional(v.number()),
    policyRefused: v.exactOptional(v.boolean()),
  }),
})
type Case = v.InferOutput<typeof Case>

const CORPUS = new Map(
  readdirSync(FOLDER).map((file) => [
    file.replace('.json', ''),
    v.parse(v.array(Case), JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))),
  ]),
)
const ALL = [...CORPUS.values()].flat()

function judged(entry: Case, rules: readonly FailureRule[]): Case['expect'] {
  const body = typeof entry.body === 'string' ? entry.body : JSON.stringify(entry.body)
  const judge = createReplyJudge(rules)
  const failure = judge(entry.protocol, entry.status, entry.headers, body, NOW)
  const { reason, scope, retryAfterMs, policyRefused } = failure
  return {
    reason,
    ...(scope && { scope }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(policyRefused && { policyRefused }),
  }
}

describe.each([...CORPUS])('of %s', (_provider, cases) => {
  test.each(cases.map((entry) => [entry.status, entry.name, entry] as const))(
    '%i, %s',
    (_status, _name, entry) => {
      expect(judged(entry, FAILURE_RULES)).toEqual(entry.expect)
    },
  )
})

test('there are at least two hundred, no two with the same answer', () => {
  expect(ALL.length).toBeGreaterThanOrEqual(200)
  const answers = ALL.map(({ protocol, status, headers, body }) =>
    JSON.stringify([protocol, status, headers, body]),
  )
  expect(answers.filter((answer, index) => answers.indexOf(answer) !== index)).toEqual([])
})

/** Whether some answer is misjudged by these rules. */
function isWrong(rules: readonly FailureRule[]): boolean {
  return ALL.some(
    (entry) =>
      JSON.stringify(judged(entry, rules)) !== JSON.stringify(judged(entry, FAILURE_RULES)),
  )
}

test('every rule is needed', () => {
  const spare = FAILURE_RULES.filter(
    (rule) => !isWrong(FAILURE_RULES.filter((other) => other !== rule)),
  )
  expect(spare).toEqual([])
})

test('every code and every status of a rule is needed', () => {
  const spare = FAILURE_RULES.flatMap((rule, index) =>
    [
      ...(rule.codes ?? []).map((code) => ({
        part: code,
        left: { ...rule, codes: rule.codes?.filter((other) => other !== code) ?? [] },
      })),
      ...(rule.status ?? []).map((status) => ({
        part: status,
        left: { ...rule, status: rule.status?.filter((other) => other !== status) ?? [] },
      })),
    ]
      .filter(({ left }) => !isWrong(FAILURE_RULES.with(index, left)))
      .map(({ part }) => `${part} in ${JSON.stringify(rule)}`),
  )
  expect(spare).toEqual([])
})
