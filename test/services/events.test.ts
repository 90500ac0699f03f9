import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EquabotEvent, Happening } from '../../src/domain/event.ts'
import { createEvents, KEPT_EVENTS, logEvents } from '../../src/services/events.ts'
import type { Events } from '../../src/services/events.ts'
import { fakeClock, FAKE_NOW, silentLog } from '../../src/testing.ts'
import { HAPPENING_SAMPLES } from '../event-samples.ts'
import { profile } from '../names-from.ts'

const RECOVERED: Happening = HAPPENING_SAMPLES['credential.recovered']

function bus(happened = 0): Events {
  const events = createEvents({ clock: fakeClock(), random: () => 0.5 })
  for (let count = 0; count < happened; count += 1) events.publish(RECOVERED)
  return events
}

describe('the bus', () => {
  test('tells each listener every event in order, with its number and the time', () => {
    const clock = fakeClock()
    const events = createEvents({ clock, random: () => 0.5 })
    const heard: EquabotEvent[] = []
    events.subscribe((event) => heard.push(event))
    events.publish(RECOVERED)
    clock.advance(5)
    events.publish({ kind: 'credential.renewed', profile: profile('a:b') })
    expect(heard).toEqual([
      { ...RECOVERED, seq: 1, when: FAKE_NOW },
      { kind: 'credential.renewed', profile: 'a:b', seq: 2, when: FAKE_NOW + 5 },
    ])
  })

  test('tells no one who has left', () => {
    const events = bus()
    const heard: number[] = []
    const leave = events.subscribe(({ seq }) => heard.push(seq))
    events.publish(RECOVERED)
    leave()
    events.publish(RECOVERED)
    expect(heard).toEqual([1])
  })

  test('a listener that throws costs neither the publisher nor the others, and is not told again', () => {
    const events = bus()
    const heard: number[] = []
    let thrown = 0
    events.subscribe(() => {
      thrown += 1
      throw new Error('a bug')
    })
    events.subscribe(({ seq }) => heard.push(seq))
    events.publish(RECOVERED)
    events.publish(RECOVERED)
    expect({ heard, thrown }).toEqual({ heard: [1, 2], thrown: 1 })
  })

  test('gives what came after any event, and counts what is not kept', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 * KEPT_EVENTS }),
        fc.integer({ min: -5, max: 2 * KEPT_EVENTS + 5 }),
        (happened, after) => {
          const { events, lost } = bus(happened).since(after)
          const wanted = Math.max(0, happened - Math.max(0, after))
          expect(events.length).toBe(Math.min(wanted, KEPT_EVENTS))
          expect(lost).toBe(wanted - events.length)
          const numbers = events.map(({ seq }) => seq)
          expect(numbers).toEqual(numbers.map((_, index) => happened - numbers.length + 1 + index))
        },
      ),
      { numRuns: 50 },
    )
  })

  test('two runs have two names, of eight hex digits each', () => {
    const names = [0, 0.25, 0.999_999].map(
      (chance) => createEvents({ clock: fakeClock(), random: () => chance }).run,
    )
    expect(new Set(names).size).toBe(3)
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{8}$/)
  })

  test('every event is one line of the log under its kind, with its fields', () => {
    const events = bus()
    const log = silentLog()
    logEvents(events, log)
    events.publish(RECOVERED)
    events.publish(HAPPENING_SAMPLES['all.resting'])
    expect(log.lines).toEqual([
      {
        level: 'info',
        event: 'credential.recovered',
        fields: { profile: 'anthropic:work', seq: 1 },
      },
      {
        level: 'warn',
        event: 'all.resting',
        fields: expect.objectContaining({ provider: 'anthropic', agent: 'main', seq: 2 }),
      },
    ])
  })
})
