import { expect, test } from 'vitest'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { createCrossings } from '../../src/services/crossings.ts'
import { createEvents } from '../../src/services/events.ts'
import { fakeClock, FAKE_NOW } from '../../src/testing.ts'
import { HAPPENING_SAMPLES } from '../event-samples.ts'
import { agent, session } from '../names-from.ts'

const CROSSED = HAPPENING_SAMPLES['lane.crossed']

test('the last crossing of a session is remembered, of each session its own', () => {
  const clock = fakeClock()
  const events = createEvents({ clock, random: () => 0 })
  const crossings = createCrossings(events)
  events.publish(CROSSED)
  clock.advance(1000)
  const back = { ...CROSSED, from: CROSSED.to, to: CROSSED.from }
  events.publish(back)
  events.publish({ ...CROSSED, session: session('tuesday') })
  const { from, to } = back
  expect(crossings.last(MAIN_AGENT, session('monday'))).toEqual({ when: FAKE_NOW + 1000, from, to })
  expect(crossings.last(MAIN_AGENT, session('tuesday'))?.to).toEqual(CROSSED.to)
  expect(crossings.last(agent('other'), session('monday'))).toBeUndefined()
})

test('of many sessions those that crossed longest ago are forgotten', () => {
  const events = createEvents({ clock: fakeClock(), random: () => 0 })
  const crossings = createCrossings(events)
  for (let number = 0; number < 1_001; number += 1) {
    events.publish({ ...CROSSED, session: session(`s${number}`) })
  }
  expect(crossings.last(MAIN_AGENT, session('s0'))).toBeUndefined()
  expect(crossings.last(MAIN_AGENT, session('s1'))).toBeDefined()
})
