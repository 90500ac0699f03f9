import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { FAILURE_REASONS } from '../../src/domain/cooldown.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { ProbeReport, ProbeResult, ProbeStatus } from '../../src/domain/probe.ts'
import {
  CHEAP_MODELS,
  modelWithin,
  PROBE_STATUSES,
  probeExit,
  probeModel,
  probeStatus,
} from '../../src/domain/probe.ts'
import type { ProviderFacts } from '../../src/domain/provider.ts'
import type { Candidate } from '../../src/domain/rotation.ts'
import {
  nothingToProbeWords,
  probeFix,
  probeSummary,
  probeWords,
} from '../../src/domain/wording-probe.ts'
import { aProfile, aWorld, FAKE_NOW } from '../../src/testing.ts'
import { probeJson } from '../../src/wire/probe-json.ts'
import { profile, provider } from '../names-from.ts'
import { settingsFrom } from '../settings-from.ts'

const CANDIDATE: Candidate = {
  id: profile('anthropic:work'),
  credential: aProfile('anthropic:work').credential,
  fingerprint: '0a1b2c3d',
  source: { kind: 'store', agent: MAIN_AGENT, path: '/state/auth-profiles.json' },
  origin: 'equabot',
  lane: 'metered',
}

function result(status: ProbeStatus, more: Partial<ProbeResult> = {}): ProbeResult {
  return {
    provider: provider('anthropic'),
    candidate: CANDIDATE,
    status,
    named: false,
    host: 'api.anthropic.com',
    ...(status === 'skipped' && { passedOver: { code: 'blank' } }),
    ...more,
  }
}
const report = (...results: readonly ProbeResult[]): ProbeReport => ({
  agent: MAIN_AGENT,
  now: FAKE_NOW,
  timeoutMs: 8_000,
  results,
})
const exitOf = (...statuses: readonly ProbeStatus[]): number =>
  probeExit(report(...statuses.map((status) => result(status))))

test('every reason why a request can fail is a status, and a refused policy is one of its own', () => {
  for (const reason of FAILURE_REASONS) {
    expect(PROBE_STATUSES).toContain(probeStatus({ reason }))
    expect(probeStatus({ reason })).not.toBe('ok')
    expect(probeStatus({ reason, policyRefused: true })).toBe('policy')
  }
  expect(probeStatus({ reason: 'invalid_request' })).toBe('format')
})

describe('the exit code', () => {
  test.each([
    [['ok'], 0],
    [['ok', 'skipped'], 0],
    [['ok', 'auth'], 1],
    [['skipped'], 1],
    [[], 1],
    [['no_model'], 1],
    [['ok', 'no_model'], 1],
    [['network'], 69],
    [['network', 'timeout', 'skipped', 'no_model'], 69],
    [['network', 'auth'], 1],
    [['ok', 'network'], 1],
    [['ok', 'cancelled'], 130],
  ] as const)('of %j is %i', (statuses, exit) => {
    expect(exitOf(...statuses)).toBe(exit)
  })

  test('counts one that was named and not asked as a no', () => {
    expect(probeExit(report(result('ok'), result('skipped', { named: true })))).toBe(1)
  })

  test('is 0 only when something was asked and nothing that was asked failed', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PROBE_STATUSES), { maxLength: 8 }), (statuses) => {
        const asked = statuses.filter((status) => status !== 'skipped')
        const allGood = asked.length > 0 && asked.every((status) => status === 'ok')
        expect(exitOf(...statuses) === 0).toBe(allGood)
      }),
    )
  })
})

describe('the model', () => {
  const facts = (world: ReturnType<typeof aWorld>, id: string): ProviderFacts => {
    const found = world.providers.get(provider(id))
    if (!found) throw new TypeError(`there is no provider ${id}`)
    return found
  }

  test('is a cheap one unless the user chose one of the provider', () => {
    const world = aWorld({ profiles: [aProfile('anthropic:work')] })
    expect(probeModel(world, facts(world, 'anthropic'))).toBe(CHEAP_MODELS.get('anthropic'))
    expect(probeModel(world, facts(world, 'xai'))).toBe('grok-4.7')
    expect(probeModel(world, facts(world, 'ollama'))).toBeUndefined()
    const chosen = aWorld({
      settings: settingsFrom({
        agents: { defaults: { model: { primary: 'xai/grok-x', fallbacks: ['openai/gpt-y'] } } },
      }),
    })
    expect(probeModel(chosen, facts(chosen, 'xai'))).toBe('grok-x')
    expect(probeModel(chosen, facts(chosen, 'openai'))).toBe('gpt-y')
  })

  test('that is cheap is one that its provider is known to have', () => {
    const catalogue = JSON.parse(
      readFileSync(new URL('../../src/adapters/catalogue.json', import.meta.url), 'utf8'),
    ) as Readonly<Record<string, readonly { readonly id: string }[]>>
    for (const [id, model] of CHEAP_MODELS) {
      expect(
        catalogue[id]?.map((known) => known.id),
        id,
      ).toContain(model)
    }
  })

  test('is read as an id, as provider/id, as an alias, and without a pin', () => {
    const world = aWorld({
      settings: settingsFrom({ agents: { defaults: { aliases: { fast: 'anthropic/claude-h' } } } }),
    })
    const own = facts(world, 'anthropic')
    expect(modelWithin(world, own, 'claude-x')).toBe('claude-x')
    expect(modelWithin(world, own, 'anthropic/claude-x')).toBe('claude-x')
    expect(modelWithin(world, own, 'FAST')).toBe('claude-h')
    expect(modelWithin(world, own, ' claude-x@anthropic:work ')).toBe('claude-x')
    expect(modelWithin(world, facts(world, 'openrouter'), 'anthropic/claude-x')).toBe(
      'anthropic/claude-x',
    )
  })
})

describe('the words', () => {
  test('of every status are one line, with what to do about all that a person can mend', () => {
    for (const status of PROBE_STATUSES) {
      for (const words of [undefined, 'the provider said so']) {
        const of = result(status, words === undefined ? {} : { words, retryAfterMs: 30_000 })
        expect(probeWords(of, FAKE_NOW)).toMatch(/^[^\n]+$/)
        expect(probeWords(of, undefined)).not.toMatch(/undefined|\[object/)
        const needsNothing = status === 'ok' || status === 'cancelled'
        expect(probeFix(of, FAKE_NOW) === '', status).toBe(needsNothing)
      }
    }
    expect(nothingToProbeWords()).toContain('equabot models auth add')
  })

  test('name the command that puts the credential right', () => {
    expect(probeFix(result('auth'), FAKE_NOW)).toBe(
      'equabot models auth paste-token --provider anthropic --profile-id anthropic:work',
    )
    expect(probeFix(result('policy'), FAKE_NOW)).toContain('use an API key')
    expect(probeFix(result('network'), FAKE_NOW)).toContain('api.anthropic.com')
    expect(probeFix(result('not_found'), FAKE_NOW)).toContain('--model <model>')
    const renewal = result('network', {
      fault: { code: 'EQ_RENEWAL_BUSY', profile: CANDIDATE.id, waitedMs: 8_000 },
    })
    expect(probeWords(renewal, FAKE_NOW)).toContain('anthropic:work')
  })

  test('of one that is left out on purpose have no fix', () => {
    const left = result('skipped', { passedOver: { code: 'not_in_order', order: 'agent' } })
    expect(probeFix(left, FAKE_NOW)).toContain('--profile anthropic:work')
    const mode = { code: 'mode_mismatch', mode: 'oauth', type: 'api_key' } as const
    expect(probeFix(result('skipped', { passedOver: mode }), FAKE_NOW)).toBe('')
  })

  test('sum up who serves, who was not asked and who was stopped', () => {
    const all = report(result('ok'), result('auth'), result('skipped'), result('cancelled'))
    expect(probeSummary(all)).toBe('1 of 2 serves, 1 not asked, 1 stopped')
    expect(probeSummary(report(result('ok')))).toBe('1 of 1 serves')
  })
})

test('as data hold no secret', () => {
  const text = JSON.stringify(probeJson(report(...PROBE_STATUSES.map((each) => result(each)))))
  expect(text).not.toContain('fake-key')
  expect(JSON.parse(text)).toMatchObject({ exit: 130, timeoutMs: 8_000 })
  expect(JSON.parse(text).results[0]).toMatchObject({ profile: 'anthropic:work', status: 'ok' })
})
