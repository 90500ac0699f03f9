import { describe, expect, test } from 'vitest'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { ResolvedModel } from '../../src/domain/models.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { DispatchRequest } from '../../src/services/dispatch.ts'
import { aBook, anAnswer, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { MODEL } from '../arbitrary-worlds.ts'
import { provider } from '../names-from.ts'
import type { Furnishing, House } from './house.ts'
import { encode, house, outcome, sentKey } from './house.ts'

const OPENAI: ResolvedModel = { provider: provider('openai'), model: 'gpt-test' }
const SMALLER: ResolvedModel = { ...MODEL, model: 'claude-smaller' }
const KEYS = aBook(aProfile('anthropic:a'), aProfile('anthropic:b'), aProfile('openai:c'))

/** Who was asked for what, and how long after the beginning, ms. */
type Asked = readonly [profile: string, model: string, afterMs: number]

function bench(answer: (index: number) => ReturnType<typeof anAnswer>, more: Furnishing = {}) {
  const asked: Asked[] = []
  const at: House = house({
    books: { main: KEYS },
    upstream: (request, index) => {
      const { model } = JSON.parse(String(request.body)) as { model: string }
      const profile = sentKey(request)?.replace('fake-key-of-', '') ?? ''
      asked.push([profile, model, at.clock.now() - FAKE_NOW])
      return answer(index)
    },
    ...more,
  })
  return {
    ...at,
    asked,
    /** Time goes on until there is an outcome. */
    async send(request: Partial<DispatchRequest> = {}): ReturnType<House['dispatch']> {
      let isOver = false
      const served = at
        .dispatch({
          world: orThrow(await at.loadWorld(MAIN_AGENT)),
          models: [MODEL],
          encode,
          signal: new AbortController().signal,
          ...request,
        })
        .finally(() => {
          isOver = true
        })
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve))
        if (isOver) return served
        at.clock.advance(50)
      }
    },
  }
}
const overloaded = (headers = {}) => anAnswer(529, headers)

describe('an overloaded provider', () => {
  test('is not asked with its other keys: the next model is tried at once', async () => {
    const at = bench((index) => (index < 2 ? overloaded() : anAnswer(200)))
    const served = orThrow(await at.send({ models: [MODEL, SMALLER, OPENAI] }))
    expect(served.candidate.id).toBe('openai:c')
    expect(at.asked.map(([, ...what]) => what)).toEqual([
      ['claude-test', 0],
      ['claude-smaller', 0],
      ['gpt-test', 0],
    ])
  })

  test('is asked once more where nothing else is left, by whoever comes first then, half a second to a second later', async () => {
    const at = bench((index) => (index === 0 ? overloaded() : anAnswer(200)))
    const served = orThrow(await at.send())
    expect(served).toMatchObject({
      candidate: { id: 'anthropic:b' },
      attempts: [{ profile: 'anthropic:a', reason: 'overloaded', status: 529 }],
    })
    const [first, second, ...more] = at.asked
    expect([first?.[0], second?.[0], more]).toEqual(['anthropic:a', 'anthropic:b', []])
    expect(second?.[2]).toBeGreaterThanOrEqual(500)
    expect(second?.[2]).toBeLessThanOrEqual(1_000)
    // What has served is overloaded no more.
    expect(at.states.state().models.size).toBe(0)
  })

  test('is asked no third time, and both tries are told', async () => {
    const at = bench(() => overloaded())
    expect(await at.send()).toMatchObject({
      fault: {
        code: 'EQ_UPSTREAM_FAILED',
        attempts: [{ reason: 'overloaded' }, { reason: 'overloaded' }],
      },
    })
    expect(at.asked).toHaveLength(2)
  })

  test('that says how long to wait is not asked before', async () => {
    const at = bench((index) => (index === 0 ? overloaded({ 'retry-after': '30' }) : anAnswer(200)))
    expect(outcome(await at.send())).toBe('EQ_UPSTREAM_FAILED')
    expect(at.asked).toHaveLength(1)
  })

  test('that has had its tenth of further attempts gets none of these either', async () => {
    const at = bench(() => overloaded())
    const last = 30
    for (let index = 0; index < last; index += 1) await at.send()
    expect(at.asked.length).toBeGreaterThan(last)
    expect(at.asked.length).toBeLessThanOrEqual(last * 1.1 + 10)
  })

  test('is asked no more when whoever asked has gone meanwhile', async () => {
    const caller = new AbortController()
    const at = bench(() => {
      setImmediate(() => caller.abort())
      return overloaded()
    })
    expect(outcome(await at.send({ signal: caller.signal }))).toBe('EQ_REQUEST_CANCELLED')
    expect(at.asked).toHaveLength(1)
  })

  test('is one too when it says so with status 200', async () => {
    const said = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    const at = bench((index) => (index === 0 ? anAnswer(200, {}, said) : anAnswer(200)))
    expect(orThrow(await at.send()).attempts).toMatchObject([{ reason: 'overloaded' }])
    expect(at.asked).toHaveLength(2)
  })
})
