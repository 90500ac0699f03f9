import { describe, expect, test } from 'vitest'
import { addEventsCommand } from '../../src/cli/events.ts'
import type { HeardEvent } from '../../src/domain/event.ts'
import type { Fault } from '../../src/domain/fault.ts'
import type { EventsWish, GatewayClient } from '../../src/domain/ports.ts'
import type { Result } from '../../src/domain/result.ts'
import { fail, ok } from '../../src/domain/result.ts'
import type { App } from '../../src/services/app.ts'
import type { Ran } from './fake-chat-app.ts'
import { fakeApp, NOW, RECORD, runCommand, STATE_DIR } from './fake-chat-app.ts'

const RUN = '0a1b2c3d'

function event(seq: number, kind = 'credential.recovered'): HeardEvent {
  const words = `${kind} number ${seq}`
  const when = NOW + seq * 1000
  return {
    id: `${RUN}-${seq}`,
    kind,
    words,
    ...(kind !== 'events.open' && { when }),
    data: { kind, words, when, level: 'info' },
  }
}

const DOWN: Fault = { code: 'EQ_GATEWAY_DOWN', stateDir: STATE_DIR }
const SILENT: Fault = { code: 'EQ_GATEWAY_SILENT', pid: RECORD.pid, port: RECORD.port, detail: 'x' }

/** What each look for the gateway finds: none, or the events of one stream, which then ends. */
type Life = 'down' | readonly Result<HeardEvent, Fault>[]

/** @returns the wishes that the gateways were asked, and the app; the command is told to end after the last life */
function gateways(...lives: readonly Life[]): {
  readonly app: App
  readonly wishes: readonly EventsWish[]
  readonly signal: AbortSignal
} {
  const wishes: EventsWish[] = []
  const ending = new AbortController()
  const left = [...lives]
  const parts: Partial<App> = {
    async gatewayClient() {
      const life = left.shift()
      if (life === undefined || life === 'down') {
        if (left.length === 0) ending.abort()
        return fail(DOWN)
      }
      async function* events(wish: EventsWish): AsyncGenerator<Result<HeardEvent, Fault>, void> {
        wishes.push(wish)
        yield* life === 'down' ? [] : (life ?? [])
        if (left.length === 0) ending.abort()
      }
      const client: Partial<GatewayClient> = {
        record: RECORD,
        url: 'http://127.0.0.1:18789',
        events,
      }
      return ok(client as GatewayClient)
    },
  }
  return { app: fakeApp({ parts }), wishes, signal: ending.signal }
}

function run(argv: readonly string[], given: ReturnType<typeof gateways>): Promise<Ran> {
  return runCommand(['events', ...argv], addEventsCommand, given)
}

describe('events', () => {
  test('lists what the gateway remembers, each with its time, kind and words', async () => {
    const given = gateways([ok(event(0, 'events.open')), ok(event(1)), ok(event(2, 'moon.full'))])
    const { exit, out, err } = await run([], given)
    expect({ exit, err }).toEqual({ exit: 0, err: '' })
    expect(out).toBe(
      '2027-01-15 08:00:01  credential.recovered  credential.recovered number 1\n' +
        '2027-01-15 08:00:02  moon.full  moon.full number 2\n',
    )
    expect(given.wishes).toEqual([{ since: '0', follow: false }])
  })

  test('says that nothing has happened', async () => {
    const { exit, out } = await run([], gateways([ok(event(0, 'events.open'))]))
    expect({ exit, out }).toEqual({
      exit: 0,
      out: 'Nothing has happened since the gateway was started\n',
    })
  })

  test('--json is one object, with where to go on', async () => {
    const given = gateways([ok(event(0, 'events.open')), ok(event(1))])
    const { out } = await run(['--json', '--since', `${RUN}-0`], given)
    expect(JSON.parse(out)).toEqual({
      events: [{ id: `${RUN}-1`, ...event(1).data }],
      last: `${RUN}-1`,
    })
    expect(given.wishes).toEqual([{ since: `${RUN}-0`, follow: false }])
  })

  test('a fault on the way is the answer, not a part of the list', async () => {
    const { exit, out } = await run([], gateways([ok(event(1)), fail(SILENT)]))
    expect({ exit, out }).toEqual({ exit: 69, out: '' })
  })

  test.each([[[]], [['--follow']]])(
    '%j without a gateway exits 69 and says how to start one',
    async (argv) => {
      const { exit, err } = await run(argv, gateways('down'))
      expect(exit).toBe(69)
      expect(err).toContain('equabot gateway run')
    },
  )

  test.each(['yesterday', '7', `${RUN}-x`])('--since %s exits 64', async (since) => {
    expect((await run(['--since', since], gateways([]))).exit).toBe(64)
  })
})

describe('events --follow', () => {
  test('goes on with the next gateway where it was, and tells beside the events that one has gone', async () => {
    const given = gateways([ok(event(0, 'events.open')), ok(event(1)), fail(SILENT)], 'down', [
      ok(event(2)),
      ok(event(3)),
    ])
    const { exit, out, err } = await run(['--follow', '--json'], given)
    expect(exit).toBe(0)
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([1, 2, 3].map((seq) => ({ id: `${RUN}-${seq}`, ...event(seq).data })))
    expect(given.wishes).toEqual([{ follow: true }, { follow: true, since: `${RUN}-1` }])
    expect(err).toContain(`The gateway (pid ${RECORD.pid}) has gone`)
    expect(err).toContain('equabot gateway run')
  })

  test('waits out a gateway that is about to stop', async () => {
    const stopping: Fault = {
      code: 'EQ_GATEWAY_ANSWER',
      faultCode: 'EQ_GATEWAY_STOPPING',
      message: '',
      hint: '',
      exit: 75,
      http: 503,
    }
    const { exit, out } = await run(['--follow'], gateways([fail(stopping)], [ok(event(5))]))
    expect(exit).toBe(0)
    expect(out).toContain('number 5')
  })

  test.each<Fault>([
    { code: 'EQ_CALLER_UNKNOWN' },
    {
      code: 'EQ_GATEWAY_ANSWER',
      faultCode: 'EQ_GATEWAY_READERS',
      message: 'm',
      hint: 'h',
      exit: 75,
      http: 503,
    },
  ])('ends with a refusal that would only come again: $code', async (fault) => {
    const given = gateways([fail(fault)], [ok(event(1))])
    expect((await run(['--follow'], given)).exit).toBeGreaterThan(1)
    expect(given.wishes).toHaveLength(1)
  })

  test('no event can steer the terminal', async () => {
    const evil = { ...event(1), words: 'a\u001b[2Jb\nc' }
    const { out } = await run(['--follow'], gateways([ok(evil)]))
    expect(out).toBe('2027-01-15 08:00:01  credential.recovered  ab c\n')
  })
})
