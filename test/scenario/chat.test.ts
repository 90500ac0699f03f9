import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { User } from './harness.ts'
import { anthropicStream, fakeUpstream, newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const PROMPT = /you › /

/** Two models of the sandbox to choose from. */
const TWO_MODELS = `{ agents: { defaults: { model: { primary: "sandbox/sandbox-echo", fallbacks: ["sandbox/sandbox-other"] } } } }`

describe('a person at a terminal', () => {
  test('is at a streamed reply after `up`, and Ctrl-D leaves with 0 and stops the gateway', async () => {
    const seat = user.sit(['up', '--port', '0'])
    const told = await seat.see(PROMPT)
    expect(told).toMatch(/gateway at http:\/\/127\.0\.0\.1:\d+ \(started here\)/)
    expect(told).toContain('the built-in sandbox answers')
    expect(told).toContain('sandbox/sandbox-echo by sandbox:builtin · session main')
    seat.type('good morning\r')
    await seat.see(/You said: "good morning"[\s\S]*you › /)
    seat.type(CTRL_D)
    expect(await seat.ended()).toBe(0)
    expect((await user.run(['gateway', 'status'])).code).toBe(69)
    expect((await user.run(['sessions', 'list'])).out).toMatch(/^main +1 turn /)
  })

  test('picks a model by number, pins a credential, and /model status marks who is next', async () => {
    await user.write('.equabot/equabot.json', TWO_MODELS)
    await user.paste('sandbox-ok', 'sandbox:work')
    await user.paste('sandbox-401', 'sandbox:bad')
    await user.run([
      'models',
      'auth',
      'order',
      'set',
      '--provider',
      'sandbox',
      'sandbox:bad',
      'sandbox:work',
    ])
    const seat = user.sit(['chat'])
    await seat.see(PROMPT)
    seat.type('/model\r')
    const picker = await seat.see(/Who would serve, and why: \/model status/)
    expect(picker).toMatch(/1\) sandbox\/sandbox-echo {2}← now/)
    expect(picker).toMatch(/2\) sandbox\/sandbox-other/)
    seat.type('/model 2\r')
    await seat.see(/Model of this session: sandbox\/sandbox-other/)
    seat.type('/model 7\r')
    await seat.see(/There is no number 7; the list has 2/)
    seat.type('/model sandbox/sandbox-echo@sandbox:wrok\r')
    await seat.see(/no profile "sandbox:wrok"[\s\S]*Did you mean sandbox:work\?/)
    seat.type('/model sandbox/sandbox-echo@groq:work\r')
    await seat.see(/groq:work is not a profile of sandbox/)
    seat.type('/model status\r')
    await seat.see(/next sandbox:bad: /)
    seat.type('/model sandbox/sandbox-echo@sandbox:work\r')
    await seat.see(/pinned to sandbox:work/)
    seat.type('/model status\r')
    const status = await seat.see(/next sandbox:work: /)
    expect(status).toContain('protocol anthropic-messages')
    seat.type('hello\r')
    await seat.see(/You said: "hello"/)
    seat.type('/model unpin\r')
    await seat.see(/No longer pinned to sandbox:work/)
    seat.type('/nwe\r')
    await seat.see(/There is no command \/nwe[\s\S]*Did you mean \/new\?/)
    seat.type('/new\r')
    await seat.see(/A new conversation/)
    seat.type('/status\r')
    await seat.see(/Session: main of agent main, 1 turn, begun/)
    seat.type('/exit\r')
    expect(await seat.ended()).toBe(0)
  })

  test('stops a reply with Ctrl-C, not the program; a second one at the prompt leaves with 130', async () => {
    await user.paste('sandbox-hang', 'sandbox:hang')
    const seat = user.sit(['chat', '--model', 'sandbox/sandbox-echo'])
    await seat.see(PROMPT)
    seat.type('never answered\r')
    // The line is taken when the terminal shows its end; the sandbox never answers it.
    await seat.see(/never answered[\r\n]+/)
    seat.type(CTRL_C)
    await seat.see(/stopped[\s\S]*you › /)
    seat.type('half a line')
    await seat.see(/half a line/)
    seat.type(CTRL_C)
    await seat.see(/\^C[\s\S]*you › /)
    seat.type(CTRL_C)
    await seat.see(/Leave with Ctrl-D or \/exit[\s\S]*you › /)
    seat.type(CTRL_C)
    expect(await seat.ended()).toBe(130)
  })

  test('stopping a reply ends the upstream request', async () => {
    const upstream = await fakeUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(': thinking\n\n')
    })
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" } } } }`,
    )
    const variables = { ANTHROPIC_API_KEY: 'fake-environment-key-1' }
    await user.startGateway({ variables })
    const seat = user.sit(['chat'], { variables })
    expect(await seat.see(PROMPT)).toContain('through the gateway at')
    seat.type('hello\r')
    await seat.see(/hello[\r\n]+/)
    await upstream.asked()
    seat.type(CTRL_C)
    await upstream.seen[0]?.abandoned
    await seat.see(/stopped/)
    await upstream.close()
  })
})

describe('a chat without a terminal', () => {
  test('takes each line as a message and prints nothing but replies', async () => {
    const ran = await user.run(['chat'], { input: 'good morning\n\n/model\n/exit\nnever sent\n' })
    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(
      /^This is Equabot's sandbox.*"good morning".*\nModel now: sandbox\/sandbox-echo/,
    )
    expect(ran.out).not.toContain('never sent')
    expect(ran.err).toContain('in this process; no gateway is running')
  })

  test('exits 1 when its last message failed, 0 when a later one went well', async () => {
    expect((await user.run(['chat'], { input: 'hi\n/modle\n' })).code).toBe(1)
    expect((await user.run(['chat'], { input: '/modle\nhi\n' })).code).toBe(0)
    const unknown = await user.run(['chat', '--model', 'nosuch/model'], { input: 'hi\n' })
    expect(unknown).toMatchObject({ code: 64, out: '' })
  })

  test('goes on in its session, also through a gateway, and --session keeps another', async () => {
    await user.run(['chat'], { input: 'one\n' })
    const gateway = await user.startGateway()
    const ran = await user.run(['chat'], { input: 'two\n/status\n' })
    expect(ran.err).toContain(`through the gateway at ${gateway.url}`)
    expect(ran.out).toContain('Session: main of agent main, 2 turns')
    const other = await user.run(['chat', '--session', 'monday'], { input: '/status\n' })
    expect(other.out).toContain('Session: monday of agent main, 0 turns')
    expect((await user.run(['chat', '--session', 'two words'], { input: '' })).code).toBe(64)
  })
})

describe('agent --message', () => {
  test('prints the reply alone; - reads the message; --json tells who gave it', async () => {
    const plain = await user.run(['agent', '--message', 'hello'])
    expect(plain).toMatchObject({ code: 0, err: '' })
    expect(plain.out).toMatch(
      /^This is Equabot's sandbox, not a real model\. You said: "hello".*\n$/,
    )
    const piped = await user.run(['agent', '--message', '-'], { input: 'two\nlines\n' })
    expect(piped.out).toContain('2 words')
    const json = await user.run(['agent', '--message', 'hello', '--json', '--session', 'monday'])
    expect(JSON.parse(json.out)).toMatchObject({
      reply: plain.out.trim(),
      model: 'sandbox/sandbox-echo',
      profile: 'sandbox:builtin',
      attempts: [],
      session: 'monday',
      stopReason: 'end_turn',
    })
  })

  test('keeps what another process chose for the session while the reply came', async () => {
    let release = (): void => undefined
    const upstream = await fakeUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      release = () => response.end(anthropicStream('late'))
    })
    await user.write(
      '.equabot/equabot.json',
      `{ models: { providers: { anthropic: { baseUrl: "${upstream.url}" } } } }`,
    )
    const variables = { ANTHROPIC_API_KEY: 'fake-environment-key-1' }
    const slow = user.start(['agent', '--message', 'hello'], { variables, input: '' })
    await upstream.asked()
    const pin = ['agent', '--message', '/model claude-opus-5@anthropic:env']
    expect((await user.run(pin, { variables })).code).toBe(0)
    release()
    expect(await slow.ended()).toMatchObject({ code: 0, out: 'late\n' })
    const status = await user.run(['agent', '--message', '/status'], { variables })
    expect(status.out).toContain('anthropic/claude-opus-5, pinned to anthropic:env')
    expect(status.out).toContain('1 turn,')
    await upstream.close()
  })

  test('--model with @profile uses that credential alone', async () => {
    await user.paste('sandbox-401', 'sandbox:bad')
    await user.paste('sandbox-ok', 'sandbox:work')
    const ran = await user.run([
      'agent',
      '--json',
      '--message',
      'hi',
      '--model',
      'sandbox/sandbox-echo@sandbox:work',
    ])
    expect(JSON.parse(ran.out)).toMatchObject({ profile: 'sandbox:work', attempts: [] })
    const bad = await user.run([
      'agent',
      '--message',
      'hi',
      '--model',
      'sandbox/sandbox-echo@sandbox:bad',
    ])
    expect(bad).toMatchObject({ code: 1, out: '' })
    expect(bad.err).not.toContain('sandbox:work')
  })

  test('refuses what cannot be sent, and leaves no session behind', async () => {
    for (const args of [
      ['agent'],
      ['agent', '--message', ' '],
      ['agent', '--message', '-'],
      ['agent', '--message', 'hi', '--model', 'nosuch/model'],
      ['agent', '--message', 'hi', '--agent', 'nobody'],
      ['agent', '--message', 'hi', '--model', 'sandbox/sandbox-echo@groq:work'],
      ['agent', '--message', '/model 9'],
      ['agent', '--message', '/modle'],
    ]) {
      const ran = await user.run(args)
      expect(ran, args.join(' ')).toMatchObject({ code: 64, out: '' })
      expect(ran.err).not.toBe('')
    }
    // Of those that came so far there is a record.
    expect(Object.keys(await user.files())).toEqual(['.equabot/ledger.sqlite'])
  })
})
