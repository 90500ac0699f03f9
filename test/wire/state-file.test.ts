import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AgentState, ProfileUsage, Rest } from '../../src/domain/cooldown.ts'
import { EMPTY_STATE, REST_SCOPES } from '../../src/domain/cooldown.ts'
import { parseStateFile, renderStateFile } from '../../src/wire/state-file.ts'

const instant = fc.integer({ min: 0, max: 4_000_000_000_000 })
const reason = fc.constantFrom('auth' as const, 'billing' as const, 'rate_limit' as const)
const rest: fc.Arbitrary<Rest> = fc.record({
  scope: fc.constantFrom(...REST_SCOPES),
  reason,
  since: instant,
  until: instant,
  source: fc.constantFrom('provider' as const, 'ladder' as const),
})
const names = fc.string().filter((name) => name !== '__proto__')
const restsByName = fc.array(fc.tuple(names, rest), { minLength: 1 }).map((list) => new Map(list))
const usage: fc.Arbitrary<ProfileUsage> = fc.record(
  {
    fingerprint: fc.string(),
    grant: fc.string(),
    models: restsByName,
    quota: fc.array(
      fc.record(
        {
          name: fc.string(),
          used: fc.nat(100).map((percent) => percent / 100),
          resetsAt: instant,
          seenAt: instant,
        },
        { requiredKeys: ['name', 'seenAt'] },
      ),
      { minLength: 1 },
    ),
    lastUsedAt: instant,
    lastGoodAt: instant,
    rest,
    failures: fc.nat(),
    lastFailure: fc.record({ at: instant, reason, words: fc.string() }),
    refusedPolicy: fc.record({ at: instant, words: fc.string() }),
  },
  { requiredKeys: [] },
)
const states: fc.Arbitrary<AgentState> = fc.record(
  {
    profiles: fc.array(fc.tuple(names, usage)).map((entries) => new Map(entries)),
    models: fc.array(fc.tuple(names, rest)).map((entries) => new Map(entries)),
    accounts: restsByName,
    providers: restsByName,
  },
  { requiredKeys: ['profiles', 'models'] },
)

const sorted = ({ profiles, models, accounts, providers }: AgentState) => ({
  profiles: Object.fromEntries(profiles),
  models: Object.fromEntries(models),
  accounts: Object.fromEntries(accounts ?? []),
  providers: Object.fromEntries(providers ?? []),
})

describe('auth-state.json', () => {
  it('gives every state back as it was', () => {
    fc.assert(
      fc.property(states, (state) => {
        expect(sorted(parseStateFile(renderStateFile(state)))).toEqual(sorted(state))
      }),
    )
  })

  it('is empty when it is no such file at all', () => {
    for (const text of ['', '{"profiles":', '[]', 'null', '{"profiles": 5, "models": []}']) {
      expect(parseStateFile(text)).toEqual(EMPTY_STATE)
    }
  })

  it('keeps what makes sense of a file that is broken in places', () => {
    const text = JSON.stringify({
      profiles: {
        'x:a': { lastUsedAt: 5, failures: 'many', rest: { scope: 'profile' }, other: 1 },
        'x:b': 'nonsense',
      },
      models: { 'x/m': { scope: 'model' } },
    })
    expect(sorted(parseStateFile(text))).toEqual({
      profiles: { 'x:a': { lastUsedAt: 5 } },
      models: {},
      accounts: {},
      providers: {},
    })
  })

  it('keeps what a newer version wrote beside what it understands', () => {
    const text = JSON.stringify({ version: 2, profiles: {}, models: {}, lanes: { a: 1 } })
    const again: unknown = JSON.parse(renderStateFile(parseStateFile(text)))
    expect(again).toEqual({ version: 2, profiles: {}, models: {}, lanes: { a: 1 } })
  })

  it('makes a state of any text whatever', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseStateFile(text).profiles).toBeInstanceOf(Map)
      }),
    )
  })
})
