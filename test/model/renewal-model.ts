/**
 * Explores what can happen to one grant: helpers that start, are killed at any step, a machine that loses its power,
 * a network that loses requests and answers, a person who logs in anew, a backup that is put back.
 *
 * It is the real protocol that runs here, over a disk, a network and a lock that do what a schedule of choices says.
 * Every schedule within the bounds is run once; what must never be is checked after every step.
 */

import { Secret } from '../../src/domain/secret.ts'
import type { OauthCredential } from '../../src/domain/credential.ts'
import type { Moment, TokenMark } from '../../src/domain/grant.ts'
import { markOf } from '../../src/domain/grant.ts'
import type { JournalPage, RawAnswer, TokenExchange } from '../../src/domain/renewal-ports.ts'
import type { OauthFacts } from '../../src/domain/provider.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import type { ProtocolDeps, RenewalJob } from '../../src/services/renewal-job.ts'
import { renewOnce } from '../../src/services/renewal-protocol.ts'
import type { TokenHome } from '../../src/services/token-home.ts'
import { FAKE_NOW } from '../../src/testing.ts'
import { judgeTokenAnswer } from '../../src/wire/token-response.ts'
import type { ServerKind, TokenOracle } from './token-oracle.ts'
import { tokenOracle } from './token-oracle.ts'

/** How many of each misfortune one schedule may hold. */
export interface Bounds {
  readonly kills: number
  readonly powerCuts: number
  /** Requests or answers that the network loses, connections that it refuses, and requests that the server puts off. */
  readonly losses: number
  readonly logins: number
  readonly restores: number
  /** The disk fills up; it is emptied again when all helpers have ended. */
  readonly fullDisks: number
  /** Helpers that are asked to renew, one after the other or at once. */
  readonly helpers: number
}

/** A safeguard that is taken out, to see that its absence is noticed. */
export type Removed =
  | 'lock'
  /** Alone it is not noticed: the list of spent tokens stops what it lets through. */
  | 're_read'
  | 'write_ahead'
  | 'keep_answer'
  | 'durable_note'
  | 'durable_answer'
  | 'durable_book'
  | 'reserved_room'
  | 'compare_and_swap'
  | 'spent_list'
  | 'only_servers_verdict'
  | 'never_give_up'
  | 'token_stays_while_sending'

export interface Exploration {
  readonly schedules: number
  readonly steps: number
  /** The first schedule that broke something, in words. */
  readonly broken?: { readonly rule: string; readonly trace: readonly string[] }
}

interface Disk {
  login: OauthCredential
  page: JournalPage
  /** Bytes are set aside for an answer. */
  room: boolean
}

/** An operation that a helper waits for. */
interface Pending {
  readonly name: string
  readonly isEnabled: () => boolean
  /** Carries it out and lets the helper go on; each way it can end is a choice. */
  readonly ways: readonly {
    readonly name: string
    readonly run: () => void
    readonly loss?: true
  }[]
}

class Broken extends Error {}

const SETTLING_ROUNDS = 10
const REFUSAL: RawAnswer = {
  status: 400,
  headers: {},
  body: Buffer.from('{"error":"invalid_grant"}'),
  complete: true,
}
/** The server is busy and has not looked at the token. */
const PUT_OFF: RawAnswer = {
  status: 429,
  headers: { 'retry-after': '20' },
  body: Buffer.from('{"error":"slow_down"}'),
  complete: true,
}

export async function explore(
  kind: ServerKind,
  bounds: Bounds,
  removed: readonly Removed[] = [],
  limit: number = Infinity,
): Promise<Exploration> {
  const facts: OauthFacts = {
    tokenUrl: 'https://tokens.example/token',
    scopes: [],
    body: 'form',
    replay: kind === 'strict' ? 'strict' : 'unknown',
  }
  const path: { choice: number; options: number }[] = []
  let schedules = 0
  let steps = 0
  for (;;) {
    const run = await runSchedule(kind, facts, bounds, removed, path)
    schedules += 1
    steps += run.steps
    if (run.broken !== undefined) {
      return { schedules, steps, broken: { rule: run.broken, trace: run.trace } }
    }
    // The next schedule differs in the last choice that has an alternative left.
    while (path.length > 0 && (path.at(-1)?.choice ?? 0) + 1 >= (path.at(-1)?.options ?? 0)) {
      path.pop()
    }
    const last = path.at(-1)
    if (!last || schedules >= limit) return { schedules, steps }
    path[path.length - 1] = { choice: last.choice + 1, options: last.options }
  }
}

async function runSchedule(
  kind: ServerKind,
  facts: OauthFacts,
  bounds: Bounds,
  removed: readonly Removed[],
  path: { choice: number; options: number }[],
): Promise<{
  readonly steps: number
  readonly broken?: string
  readonly trace: readonly string[]
}> {
  const trace: string[] = []
  let depth = 0
  const choose = (options: readonly string[]): number => {
    const known = path[depth]
    const choice = known?.choice ?? 0
    if (!known) path.push({ choice: 0, options: options.length })
    depth += 1
    trace.push(options[choice] ?? '?')
    return choice
  }
  const machine = createMachine(kind, facts, removed)
  try {
    await live(machine, bounds, choose)
    return { steps: depth, trace }
  } catch (cause) {
    if (cause instanceof Broken) return { steps: depth, broken: cause.message, trace }
    throw cause
  }
}

type Machine = ReturnType<typeof createMachine>

/** One life of the grant: misfortunes as the schedule says, then a calm in which everything must come right. */
async function live(
  machine: Machine,
  bounds: Bounds,
  choose: (options: readonly string[]) => number,
): Promise<void> {
  const left = { ...bounds }
  machine.start()
  left.helpers -= 1
  for (;;) {
    await machine.settle()
    machine.check()
    const options = optionsOf(machine, left)
    if (options.length === 0) break
    options[choose(options.map(({ name }) => name))]?.run()
  }
  // Calm: no more misfortune; time goes by, and the grant is used until it has settled.
  machine.freeDisk()
  for (let round = 0; round < SETTLING_ROUNDS && !machine.isSettled(); round += 1) {
    machine.passTime()
    machine.start()
    for (;;) {
      await machine.settle()
      machine.check()
      const next = machine.enabled().at(0)
      if (!next) break
      next.pending.ways.at(0)?.run()
    }
  }
  machine.checkEnd()
}

interface Option {
  readonly name: string
  readonly run: () => void
}

function optionsOf(machine: Machine, left: { -readonly [K in keyof Bounds]: number }): Option[] {
  const options: Option[] = []
  const spend = (what: keyof Bounds, run: () => void) => (): void => {
    left[what] -= 1
    run()
  }
  for (const { process, pending } of machine.enabled()) {
    for (const way of pending.ways) {
      if (way.loss && left.losses === 0) continue
      const run = way.loss ? spend('losses', way.run) : way.run
      options.push({ name: `${process}: ${pending.name} ${way.name}`, run })
    }
  }
  if (options.length > 0) {
    if (left.kills > 0) {
      for (const process of machine.living()) {
        // A kill before any other step is the same as a kill before this one.
        options.push({
          name: `kill ${process}`,
          run: spend('kills', () => machine.kill(process)),
        })
      }
    }
    if (left.powerCuts > 0) {
      options.push({ name: 'power cut', run: spend('powerCuts', machine.powerCut) })
    }
    if (left.logins > 0) {
      options.push({ name: 'login', run: spend('logins', machine.logIn) })
    }
    if (left.fullDisks > 0) {
      options.push({ name: 'disk full', run: spend('fullDisks', machine.fillDisk) })
    }
  }
  if (left.helpers > 0) {
    options.push({ name: 'another helper', run: spend('helpers', machine.start) })
  }
  if (left.restores > 0 && machine.canRestore()) {
    options.push({ name: 'restore a backup', run: spend('restores', machine.restore) })
  }
  return options
}

function createMachine(kind: ServerKind, facts: OauthFacts, removed: readonly Removed[]) {
  const oracle: TokenOracle = tokenOracle(kind)
  let nowMs = FAKE_NOW
  const moment = (): Moment => ({ at: nowMs, boot: 'boot', upMs: nowMs - FAKE_NOW + 1 })
  const first = oracle.login()
  const loginOf = ({ refresh, access }: { refresh: string; access: string }): OauthCredential => ({
    type: 'oauth',
    access: new Secret(access),
    refresh: new Secret(refresh),
    expiresAt: nowMs - 1,
  })
  /** What programs see, and what a power cut leaves. */
  const cache: Disk = { login: loginOf(first), page: { spent: new Map() }, room: false }
  const durable: Disk = { ...cache }
  let backup: OauthCredential | undefined
  let diskIsFull = false

  const waiting = new Map<string, Pending>()
  const alive = new Set<string>()
  const sending = new Set<string>()
  let holder: string | undefined
  let started = 0
  let broken: string | undefined
  /** Answers that the server gave and that nobody could keep: what we may be forgiven for. */
  const lostAnswers = new Set<string>()
  const inFlight = new Map<string, string>()
  const rejectedByServer = new Set<string>()
  /** The newest login that somebody was told of as stored. */
  let promised: string | undefined
  const wasServed = new Set<string>()
  let requests = 0

  const breakRule = (rule: string): void => {
    broken ??= rule
  }
  const isDurable = (what: 'note' | 'answer' | 'book'): boolean =>
    !removed.includes(`durable_${what}`)

  function wait<T>(
    process: string,
    name: string,
    ways: Record<string, () => T>,
    losses: readonly string[] = [],
    isEnabled = (): boolean => true,
  ): Promise<T> {
    return new Promise((resolve) => {
      waiting.set(process, {
        name,
        isEnabled,
        ways: Object.entries(ways).map(([way, effect]) => ({
          name: way,
          ...(losses.includes(way) && { loss: true as const }),
          run: () => {
            waiting.delete(process)
            resolve(effect())
          },
        })),
      })
    })
  }

  /** One change of a file. It has reached the disk when it is done, unless that safeguard is out. */
  const write = (process: string, name: string, change: (disk: Disk) => void, lasts: boolean) =>
    wait(process, name, {
      done: () => {
        change(cache)
        if (lasts) change(durable)
      },
    })

  const refreshOf = (login: OauthCredential): string => login.refresh?.reveal() ?? ''

  function homeFor(process: string, seen: OauthCredential): TokenHome {
    const current = (): OauthCredential => (removed.includes('re_read') ? seen : cache.login)
    return {
      prepare: async () => {
        const isRefused = await wait(process, 'prepare', { done: () => diskIsFull })
        if (isRefused) return fail({ reason: 'storage', words: 'full' })
        const login = current()
        if (removed.includes('token_stays_while_sending')) {
          const { refresh: _, ...without } = login
          await write(process, 'claim', (disk) => (disk.login = without), true)
        }
        return ok({
          login,
          stillHeld: () => true,
          put: async (expected, next) => {
            const isRefusedNow = await wait(process, 'try put', { done: () => diskIsFull })
            if (isRefusedNow) return fail({ reason: 'storage', words: 'full' })
            const matches = (): boolean =>
              removed.includes('compare_and_swap') ||
              removed.includes('token_stays_while_sending') ||
              (cache.login.refresh !== undefined && markOf(cache.login.refresh) === expected)
            return wait(process, 'put', {
              done: () => {
                if (!matches()) return ok(false)
                if (refreshOf(cache.login) !== refreshOf(next)) {
                  wasServed.add(refreshOf(cache.login))
                }
                backup ??= cache.login
                cache.login = next
                if (isDurable('book')) durable.login = next
                return ok(true)
              },
            })
          },
          release: async () => undefined,
        })
      },
      mark: async () => {
        const { refresh } = current()
        return refresh && markOf(refresh)
      },
      publish: async () => undefined,
    }
  }

  function journalFor(process: string): RenewalJob['journal'] {
    const page = (disk: Disk, edit: (page: JournalPage) => JournalPage): void => {
      disk.page = edit(disk.page)
    }
    const without = ({ attempt: _, answer: __, ...rest }: JournalPage): JournalPage => rest
    return {
      read: () => wait(process, 'read journal', { done: () => ok(cache.page) }),
      reserve: async (attempt) => {
        if (await wait(process, 'try reserve', { done: () => diskIsFull })) {
          return fail({ code: 'EQ_STORE_UNWRITABLE', path: 'attempt', errno: 'ENOSPC' })
        }
        await write(
          process,
          'reserve',
          (disk) => {
            disk.room = !removed.includes('reserved_room')
            page(disk, (before) => ({
              ...without(before),
              attempt: { phase: 'reserved', attempt },
            }))
          },
          true,
        )
        return ok()
      },
      markSent: async (attempt) => {
        if (removed.includes('write_ahead')) return ok()
        await write(
          process,
          'mark sent',
          (disk) => page(disk, (before) => ({ ...before, attempt: { phase: 'sent', attempt } })),
          isDurable('note'),
        )
        return ok()
      },
      keepAnswer: async (attempt, answer, at) => {
        if (removed.includes('keep_answer')) {
          inFlight.delete(process)
          return ok()
        }
        if (diskIsFull && !cache.room) {
          // The answer is held in memory alone.
          return fail({ code: 'EQ_STORE_UNWRITABLE', path: 'answer', errno: 'ENOSPC' })
        }
        await write(
          process,
          'keep answer',
          (disk) => {
            inFlight.delete(process)
            page(disk, (before) => ({ ...before, answer: { attempt: attempt.id, at, answer } }))
          },
          isDurable('answer'),
        )
        return ok()
      },
      noteSpent: async (token, at) => {
        if (removed.includes('spent_list')) return ok()
        await write(
          process,
          'note spent',
          (disk) =>
            page(disk, (before) => ({ ...before, spent: new Map([...before.spent, [token, at]]) })),
          true,
        )
        return ok()
      },
      putVerdict: async (verdict) => {
        if (verdict.outcome.kind === 'rejected' && !rejectedByServer.has(verdict.token)) {
          breakRule('I10: dead without a verdict of the server about that token')
        }
        await write(
          process,
          `verdict ${verdict.outcome.kind}`,
          (disk) => page(disk, (before) => ({ ...before, verdict })),
          true,
        )
        return ok()
      },
      quarantine: async () => ok(),
      clear: async () => {
        await write(process, 'clear', (disk) => page(disk, without), true)
        sending.delete(process)
        return ok()
      },
    }
  }

  function endpointFor(process: string): ProtocolDeps['endpoint'] {
    const arrive = (token: string): RawAnswer => {
      if (removed.includes('never_give_up') && requests >= 3) return REFUSAL
      const answer = oracle.redeem(token)
      if (answer.status === 400) rejectedByServer.add(markOf(new Secret(token)))
      return answer
    }
    return {
      redeem: async (request, beforeSend): Promise<TokenExchange> => {
        const token = request.fields['refresh_token']
        const text = token instanceof Secret ? token.reveal() : ''
        const connected = await wait(
          process,
          'connect',
          { done: () => true, refused: () => false },
          ['refused'],
        )
        if (!connected) return { kind: 'not_sent', reason: 'network', words: 'refused' }
        sending.add(process)
        if (sending.size > 1) breakRule('I2: two processes between note and answer')
        if (!(await beforeSend())) return { kind: 'held_back' }
        checkSend(text)
        requests += 1
        const nothing: TokenExchange = removed.includes('only_servers_verdict')
          ? { kind: 'answered', answer: REFUSAL }
          : { kind: 'lost', words: 'reset' }
        return wait<TokenExchange>(
          process,
          'send',
          {
            answered: () => {
              const answer = arrive(text)
              if (answer.status === 200) inFlight.set(process, text)
              return { kind: 'answered', answer }
            },
            'answer lost': () => {
              if (arrive(text).status === 200) lostAnswers.add(text)
              return nothing
            },
            'request lost': () => nothing,
            'put off': () => ({ kind: 'answered', answer: PUT_OFF }),
          },
          ['answer lost', 'request lost', 'put off'],
        )
      },
    }
  }

  function checkSend(token: string): void {
    const mark = markOf(new Secret(token))
    const noted = durable.page.attempt
    const isNoted =
      noted !== undefined &&
      noted !== 'torn' &&
      noted.phase === 'sent' &&
      noted.attempt.token === mark
    if (!isNoted) breakRule('I3: sent without a durable note')
    if (
      durable.login.refresh &&
      oracle.generationOf(refreshOf(durable.login)) > oracle.generationOf(token)
    ) {
      if (refreshOf(durable.login).split('-')[1] === token.split('-')[1]) {
        breakRule('I4: sent although a newer token is stored')
      }
    }
    if (durable.page.spent.has(mark) && kind !== 'norotate') breakRule('I8: a spent token was sent')
    if (wasServed.has(token))
      breakRule('I8: a token was sent again that had been exchanged and stored')
  }
  async function helper(process: string, unwanted: TokenMark): Promise<void> {
    const isFree = (): boolean => removed.includes('lock') || holder === undefined
    const seen = cache.login
    await wait(
      process,
      'lock',
      {
        done: () => {
          holder = process
        },
      },
      [],
      isFree,
    )
    const job: RenewalJob = {
      home: homeFor(process, seen),
      journal: journalFor(process),
      facts,
      unwanted,
      urge: 'use',
    }
    let ids = 0
    const end = await renewOnce(
      {
        clock: {
          now: () => nowMs,
          sleep: (ms) =>
            wait(process, `sleep ${ms}`, {
              done: () => {
                nowMs += ms
              },
            }),
        },
        stopwatch: moment,
        endpoint: endpointFor(process),
        judge: judgeTokenAnswer,
        random: () => 0.5,
        newId: () => `${process}-${(ids += 1)}`,
        connectTimeoutMs: 1,
      },
      job,
    )
    if (end === 'renewed') {
      promised = refreshOf(cache.login)
    }
    finish(process)
  }

  function finish(process: string): void {
    alive.delete(process)
    waiting.delete(process)
    sending.delete(process)
    if (holder === process) holder = undefined
  }

  function die(process: string): void {
    const token = inFlight.get(process)
    // It had come to us and was not yet on the disk.
    if (token !== undefined) lostAnswers.add(token)
    inFlight.delete(process)
    finish(process)
  }

  /** Killed or not, what was exchanged with the server and not stored is gone for the strict kind alone. */
  function isForgiven(token: string): boolean {
    return kind === 'strict' && lostAnswers.has(token)
  }

  return {
    start(): void {
      started += 1
      const process = `h${started}`
      alive.add(process)
      void helper(process, markOf(cache.login.access))
    },
    settle: () => new Promise<void>((resolve) => setImmediate(resolve)),
    living: () => [...alive],
    enabled: () =>
      [...waiting]
        .filter(([, pending]) => pending.isEnabled())
        .map(([process, pending]) => ({ process, pending })),
    kill: die,
    powerCut(): void {
      for (const process of alive) die(process)
      cache.login = durable.login
      cache.page = durable.page
      cache.room = durable.room
    },
    fillDisk(): void {
      diskIsFull = true
    },
    freeDisk(): void {
      diskIsFull = false
    },
    logIn(): void {
      const fresh = loginOf(oracle.login())
      cache.login = fresh
      durable.login = fresh
      promised = refreshOf(fresh)
    },
    canRestore: () => backup !== undefined && alive.size === 0,
    restore(): void {
      if (backup) {
        cache.login = { ...backup, access: new Secret('access-restored') }
        durable.login = cache.login
      }
    },
    passTime(): void {
      nowMs += 2 * HOUR_MS
    },
    isSettled(): boolean {
      const outcome = outcomeNow()
      return outcome === 'renewed' || outcome === 'rejected' || outcome === 'spent'
    },
    check(): void {
      if (promised !== undefined && kind !== 'norotate') {
        const stored = refreshOf(durable.login)
        const same = stored.split('-')[1] === promised.split('-')[1]
        const isOlder = same && oracle.generationOf(stored) < oracle.generationOf(promised)
        if ((isOlder || !same) && !isRestored()) {
          breakRule('I5: a login that was told as stored is not there')
        }
      }
      if (broken !== undefined) throw new Broken(broken)
    },
    checkEnd(): void {
      const stored = refreshOf(cache.login)
      if (isRestored()) {
        if (outcomeNow() === 'rejected') throw new Broken('I8: a restored token was sent')
        return
      }
      const outcome = outcomeNow()
      if (stored === '') throw new Broken('I1: the login is gone from its home')
      if (outcome === 'rejected' && !isForgiven(stored)) {
        throw new Broken('I1: dead, and no answer was lost')
      }
      if (!oracle.isAlive(stored) && !isForgiven(stored)) {
        throw new Broken(
          'I1: the provider no longer takes the stored token, and no answer was lost',
        )
      }
      if (kind !== 'strict' && outcome !== 'renewed') {
        throw new Broken(`I6, I15: not settled with a server that forgives: ${outcome}`)
      }
    },
  }

  /** Of the last renewal of the login that is stored. */
  function outcomeNow(): string | undefined {
    const { verdict } = cache.page
    const { refresh } = cache.login
    return refresh && verdict?.token === markOf(refresh) ? verdict.outcome.kind : undefined
  }

  function isRestored(): boolean {
    return backup !== undefined && cache.login.access.reveal() === 'access-restored'
  }
}
