import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { EVENT_LEVELS } from '../../src/domain/event.ts'
import type { EquabotEvent } from '../../src/domain/event.ts'
import { FAKE_NOW } from '../../src/testing.ts'
import {
  EVENT,
  EVENT_FIELDS,
  eventJson,
  formatEventId,
  parseEventId,
  parseHeardEvent,
  renderEvent,
  renderLost,
  renderOpen,
} from '../../src/wire/event-json.ts'
import { sseEvents } from '../../src/wire/sse.ts'
import { EVENT_SAMPLES, HAPPENING_SAMPLES } from '../event-samples.ts'
import { profile } from '../names-from.ts'
import { chunked, collect } from './byte-stream.ts'

const RUN = '0a1b2c3d'

describe('an event as it travels', () => {
  test.each(EVENT_SAMPLES.map((event) => [event.kind, event] as const))(
    '%s holds exactly the fields that are described, and one line of words',
    (kind, event) => {
      const json = eventJson(event)
      const described = Object.keys(EVENT_FIELDS[kind] ?? {})
      expect(Object.keys(json).toSorted()).toEqual([...described, 'kind'].toSorted())
      expect(v.parse(EVENT, JSON.parse(JSON.stringify(json)))).toEqual(json)
      expect(json).toMatchObject({ ...HAPPENING_SAMPLES[kind], level: EVENT_LEVELS[kind] })
      expect(json.words).toMatch(/^\S[^\n]*\S$/)
    },
  )

  test('what is not described does not get out', () => {
    const event = {
      kind: 'credential.recovered',
      profile: profile('a:b'),
      seq: 1,
      when: FAKE_NOW,
      secret: 'fake-secret',
    } as EquabotEvent
    expect(JSON.stringify(eventJson(event))).not.toContain('fake-secret')
  })

  test('is heard as it was told, with where to go on', async () => {
    const [event] = EVENT_SAMPLES
    if (!event) throw new Error('no samples')
    const text = renderEvent(event, RUN)
    expect(text).toMatch(new RegExp(`^id: ${RUN}-1\nevent: credential.expiring\ndata: `))
    const [sent] = await collect(sseEvents(chunked(text)))
    expect(sent && parseHeardEvent(sent)).toEqual({
      id: `${RUN}-1`,
      kind: event.kind,
      when: event.when,
      words: expect.stringContaining('anthropic:work ends in 20 h'),
      data: eventJson(event),
    })
  })

  test('the notes of a stream fit the schema too', () => {
    const at = { run: RUN, seq: 7 }
    for (const text of [
      renderOpen(at, { version: '1.2.3', pid: 7 }),
      renderLost(at, 'restarted', 0),
      renderLost(at, 'overrun', 12),
    ]) {
      expect(text).toContain(`id: ${RUN}-7\n`)
      const data: unknown = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '')
      expect(v.parse(EVENT, data)).toEqual(data)
    }
  })

  test('a kind that only a newer gateway knows is heard all the same', () => {
    const data = '{"kind":"moon.full","words":"the moon is full","phase":4}'
    expect(parseHeardEvent({ id: `${RUN}-3`, data })).toEqual({
      id: `${RUN}-3`,
      kind: 'moon.full',
      words: 'the moon is full',
      data: JSON.parse(data),
    })
  })

  test.each(['', '{', '[]', '{"kind":"x"}'])('what is no event is none: %s', (data) => {
    expect(parseHeardEvent({ id: `${RUN}-3`, data })).toBeUndefined()
  })
})

test('an id comes back as it was written; what is no id is none', () => {
  const at = { run: RUN, seq: 1_234_567 }
  expect(parseEventId(formatEventId(at))).toEqual(at)
  for (const text of ['', '7', `${RUN}-`, `${RUN}-x`, `${RUN}--1`, `x-${RUN}-1`, `${RUN}-1 `]) {
    expect(parseEventId(text), text).toBeUndefined()
  }
})
