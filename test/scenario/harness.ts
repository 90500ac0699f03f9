/** Drives the built program as a user does: real processes, a fresh HOME each, nothing beyond loopback. */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Seat } from './seat.ts'
import { sitDown } from './seat.ts'

const PROGRAM: string = fileURLToPath(new URL('../../dist/equabot.js', import.meta.url))

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly input?: string
  /** Beside HOME and PATH; an empty text stands for a variable that is not set. */
  readonly variables?: Readonly<Record<string, string>>
  /** Another script than the built program. */
  readonly script?: string
}

export interface User {
  readonly home: string
  readonly stateDir: string
  run(args: readonly string[], options?: RunOptions): Promise<Ran>
  start(args: readonly string[], options?: RunOptions): Running
  startGateway(options?: RunOptions): Promise<Gateway>
  /** As `start`, but on a real terminal with a person at it. */
  sit(args: readonly string[], options?: Pick<RunOptions, 'variables'>): Seat
  /** The book of an agent, as a file that was there before. */
  writeBook(book: unknown, agent?: string): Promise<void>
  /** Pastes a credential on standard input, and it must be taken. */
  paste(secret: string, profile: string, ...more: readonly string[]): Promise<Ran>
  /** Every file but locks and logs, with its bytes. */
  files(): Promise<Readonly<Record<string, string>>>
  write(path: string, text: string): Promise<void>
  read(path: string): Promise<string>
  /** Ends what still runs and removes the folder. */
  leave(): Promise<void>
}

/** A program that goes on. */
export interface Running {
  readonly process: ChildProcess
  /** Everything it has printed so far. */
  readonly printed: { out: string; err: string }
  /** Resolves with what was printed as soon as it matches. Rejects when the program ends before. */
  until(pattern: RegExp): Promise<string>
  type(text: string): void
  stop(signal?: NodeJS.Signals): Promise<Ran>
  ended(): Promise<Ran>
}

export interface Gateway extends Running {
  readonly url: string
  readonly token: string
  call(path: string, init?: RequestInit): Promise<Response>
}

/** A new user on a machine without any credential. */
export async function newUser(): Promise<User> {
  const home = await mkdtemp(join(tmpdir(), 'equabot-user-'))
  const stateDir = join(home, '.equabot')
  const running = new Set<Running>()
  const seats = new Set<() => Promise<unknown>>()

  function environment(variables: RunOptions['variables']): Record<string, string> {
    const all = { HOME: home, PATH: process.env['PATH'] ?? '', NO_COLOR: '1', ...variables }
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
  }

  function start(args: readonly string[], options: RunOptions = {}): Running {
    const child = spawn(process.execPath, [options.script ?? PROGRAM, ...args], {
      cwd: home,
      env: environment(options.variables),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const made = follow(child)
    running.add(made)
    void made.ended().then(() => running.delete(made))
    if (options.input !== undefined) child.stdin?.end(options.input)
    return made
  }

  async function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return start(args, { input: '', ...options }).ended()
  }

  async function write(path: string, text: string): Promise<void> {
    const full = join(home, path)
    await mkdir(dirname(full), { recursive: true, mode: 0o700 })
    await writeFile(full, text, { mode: 0o600 })
  }

  return {
    home,
    stateDir,
    start,
    run,
    sit(args, options = {}) {
      const { seat, leave } = sitDown([PROGRAM, ...args], home, environment(options.variables))
      seats.add(leave)
      return seat
    },
    writeBook: (book, agent = 'main') => write(bookPath(agent), JSON.stringify(book)),
    async paste(secret, profile, ...more) {
      const [provider = ''] = profile.split(':')
      const args = ['models', 'auth', 'paste-token', '--provider', provider]
      const ran = await run([...args, '--profile-id', profile, ...more], { input: secret })
      if (ran.code !== 0) throw new Error(`${profile} was not taken:\n${ran.err}`)
      return ran
    },
    files: () => filesUnder(home),
    async startGateway(options) {
      const gateway = start(['gateway', 'run', '--port', '0'], { input: '', ...options })
      await gateway.until(/127\.0\.0\.1:\d+/)
      const record: unknown = JSON.parse(await readFile(join(stateDir, 'gateway.json'), 'utf8'))
      const port =
        typeof record === 'object' && record && 'port' in record ? record.port : undefined
      const url = `http://127.0.0.1:${String(port)}`
      const token = (await readFile(join(stateDir, 'gateway-token'), 'utf8')).trim()
      return {
        ...gateway,
        url,
        token,
        call: (path, init = {}) =>
          fetch(`${url}${path}`, {
            ...init,
            headers: {
              authorization: `Bearer ${token}`,
              ...(init.body !== undefined && { 'content-type': 'application/json' }),
              ...init.headers,
            },
          }),
      }
    },
    write,
    read: (path) => readFile(join(home, path), 'utf8'),
    async leave() {
      await Promise.all([...running].map((entry) => entry.stop('SIGKILL')))
      await Promise.all([...seats].map((end) => end()))
      // A helper that goes on by itself may still be writing its log.
      await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
    },
  }
}

/** Where the book of an agent stands, from the home. */
export function bookPath(agent = 'main'): string {
  return `.equabot/agents/${agent}/agent/auth-profiles.json`
}

async function filesUnder(home: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(home, join(entry.parentPath, entry.name)))
    .filter((path) => !/\/(?:locks|logs)\//.test(path))
    .toSorted()
  const texts = await Promise.all(paths.map((path) => readFile(join(home, path), 'latin1')))
  return Object.fromEntries(paths.map((path, index) => [path, texts[index] ?? '']))
}

function follow(child: ChildProcess): Running {
  const printed = { out: '', err: '' }
  const waiting = new Set<() => void>()
  const tell = (): void => {
    for (const look of waiting) look()
  }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed.out += text
    tell()
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed.err += text
    tell()
  })
  const ending: Promise<Ran> = once(child, 'close').then(([code]) => {
    tell()
    return { code: typeof code === 'number' ? code : -1, ...printed }
  })
  let over = false
  void ending.then(() => {
    over = true
    tell()
  })

  return {
    process: child,
    printed,
    ended: () => ending,
    type: (text) => child.stdin?.write(text),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const all = printed.out + printed.err
          if (pattern.test(all)) resolve(all)
          else if (over) reject(new Error(`ended before ${String(pattern)}:\n${all}`))
          else return
          waiting.delete(look)
        }
        waiting.add(look)
        look()
      }),
    async stop(signal = 'SIGTERM') {
      if (!over) child.kill(signal)
      return ending
    },
  }
}

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Resolves when the caller has gone away before the answer was complete. */
  readonly abandoned: Promise<void>
}

export interface FakeUpstream {
  readonly url: string
  readonly seen: SeenRequest[]
  /** Resolves when the first request has arrived. */
  asked(): Promise<void>
  close(): Promise<void>
}

/** A provider on loopback that answers as it is told and keeps what it was asked. */
export async function fakeUpstream(
  answer: (request: SeenRequest, response: ServerResponse) => void,
): Promise<FakeUpstream> {
  const seen: SeenRequest[] = []
  let arrived = (): void => undefined
  const first = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const abandoned = new Promise<void>((resolve) => {
        response.on('close', () => {
          if (!response.writableFinished) resolve()
        })
      })
      const asked = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
        abandoned,
      }
      seen.push(asked)
      arrived()
      answer(asked, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    asked: () => first,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A plain answer of the Anthropic protocol. */
export function anthropicMessage(text: string): string {
  return JSON.stringify({
    id: 'msg_fake',
    type: 'message',
    role: 'assistant',
    model: 'claude-fake',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 3, output_tokens: 2 },
  })
}

export function anthropicError(type: string, message: string): string {
  return JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_fake' })
}

/** The same as a stream. */
export function anthropicStream(text: string): string {
  const message = { ...JSON.parse(anthropicMessage('')), content: [], stop_reason: null }
  return [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
    { type: 'message_stop' },
  ]
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join('')
}
