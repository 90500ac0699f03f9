import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SseEvent } from '../../src/wire/sse.ts'
import { LONGEST_EVENT, renderSse, sseEvents } from '../../src/wire/sse.ts'
import { chunked, chunkSizes, collect } from './byte-stream.ts'

const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n\0]/g, ''))
const event: fc.Arbitrary<SseEvent> = fc.record(
  {
    event: line.filter((name) => name !== '' && !name.startsWith(' ')),
    data: fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n')),
  },
  { requiredKeys: ['data'] },
)

describe('sseEvents', () => {
  test('gives the same events however the bytes are cut, with any line ending and a BOM or none', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 5 }),
        chunkSizes,
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.constantFrom('', '\uFEFF'),
        async (events, sizes, ending, bom) => {
          const text = bom + events.map(renderSse).join('').replaceAll('\n', ending)
          expect(await collect(sseEvents(chunked(text, sizes)))).toEqual(events)
        },
      ),
    )
  })

  test('passes over comments and unknown fields, and keeps ids', async () => {
    const text = ': keep-alive\n\nid: 7\nretry: 10\nwhat: ever\ndata: x\n\n'
    expect(await collect(sseEvents(chunked(text)))).toEqual([{ id: '7', data: 'x' }])
  })

  test('an event without its blank line is not given', async () => {
    expect(await collect(sseEvents(chunked('data: a\n\ndata: b\n')))).toEqual([{ data: 'a' }])
  })

  test.each([[[]], [Array.from({ length: 300 }, () => 4_096)]])(
    'an event beyond the limit throws, in one chunk or in many',
    async (sizes) => {
      const text = `data: ok\n\ndata: ${'x'.repeat(LONGEST_EVENT + 1)}\n\n`
      const seen: string[] = []
      const reading = (async (): Promise<void> => {
        for await (const { data } of sseEvents(chunked(text, sizes))) seen.push(data)
      })()
      await expect(reading).rejects.toThrow('longer than 1 MiB')
      expect(seen).toEqual(['ok'])
    },
  )

  test('an event at the limit is given, in one chunk or in many', async () => {
    const text = `data: ${'x'.repeat(LONGEST_EVENT)}\n\n`
    for (const sizes of [[], Array.from({ length: 300 }, () => 4_096)]) {
      const [only] = await collect(sseEvents(chunked(text, sizes)))
      expect(only?.data.length).toBe(LONGEST_EVENT)
    }
  })
})

test('renderSse names the event and repeats the field for each line', () => {
  expect(renderSse({ event: 'ping', data: 'a\nb' })).toBe('event: ping\ndata: a\ndata: b\n\n')
})
