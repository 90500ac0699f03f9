import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Files } from '../../src/adapters/files.ts'
import { createFiles } from '../../src/adapters/files.ts'
import { createStateStore } from '../../src/adapters/state-store.ts'
import type { AgentState } from '../../src/domain/cooldown.ts'
import { MAIN_AGENT, parseAgentId } from '../../src/domain/names.ts'
import type { StateStore } from '../../src/domain/ports.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { parseStateFile } from '../../src/wire/state-file.ts'
import { createFixture } from './stores-fixture.ts'

const WORK = parseAgentId('work') ?? MAIN_AGENT

/** Counts in the failures of one profile, so that a change that is applied twice or not at all shows. */
const addOne = (state: AgentState): AgentState => ({
  ...state,
  profiles: new Map(state.profiles).set('x:a', { failures: countIn(state) + 1 }),
})
const countIn = (state: AgentState): number => state.profiles.get('x:a')?.failures ?? 0
const counted = async (store: StateStore): Promise<number> => countIn(await store.read(MAIN_AGENT))

function createCountingFiles() {
  const real = createFiles()
  const written: string[] = []
  const started: (() => void)[] = []
  const files: Files = {
    ...real,
    async write(path, text) {
      const saved = await real.write(path, text)
      written.push(text)
      started.shift()?.()
      return saved
    },
  }
  /** Resolves when the next write is on the disk. */
  const nextWrite = () => new Promise<void>((resolve) => started.push(resolve))
  return { files, written, nextWrite }
}

function createStore() {
  const { files, written, nextWrite } = createCountingFiles()
  const fixture = createFixture({ files })
  const path = fixture.home.statePath(MAIN_AGENT)
  const onDisk = (): number => countIn(parseStateFile(readFileSync(path, 'utf8')))
  return { ...fixture, written, nextWrite, path, onDisk, store: createStateStore(fixture) }
}

describe('the state of an agent', () => {
  it('is empty where there is none, and cannot be read where it is broken', async () => {
    const { store, path } = createStore()
    expect(await counted(store)).toBe(0)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '{"profiles": {"x:a"')
    expect(await counted(store)).toBe(0)
    store.update(MAIN_AGENT, addOne)
    expect(await store.flush()).toEqual(ok())
    expect(await counted(store)).toBe(1)
  })

  it('shows a change at once and writes changes of one moment together', async () => {
    const { store, written, onDisk, path } = createStore()
    for (let times = 0; times < 5; times += 1) store.update(MAIN_AGENT, addOne)
    expect(await counted(store)).toBe(5)
    expect(await store.flush()).toEqual(ok())
    expect(onDisk()).toBe(5)
    expect(written).toHaveLength(1)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('is written once a second while changes go on', async () => {
    const { store, clock, written, nextWrite, onDisk } = createStore()
    const first = nextWrite()
    store.update(MAIN_AGENT, addOne)
    await first
    await counted(store)
    for (let times = 0; times < 10; times += 1) {
      store.update(MAIN_AGENT, addOne)
      expect(await counted(store)).toBe(times + 2)
    }
    expect(written).toHaveLength(1)
    const second = nextWrite()
    clock.advance(1_000)
    await second
    expect(onDisk()).toBe(11)
    expect(written).toHaveLength(2)
  })

  it('forgets none of the thousands of changes that a busy second brings, and applies each once', async () => {
    const { store, onDisk } = createStore()
    for (let burst = 1; burst <= 6; burst += 1) {
      for (let times = 0; times < 500; times += 1) store.update(MAIN_AGENT, addOne)
      expect(await counted(store)).toBe(burst * 500)
    }
    expect(await store.flush()).toEqual(ok())
    expect(onDisk()).toBe(3_000)
    expect(await counted(store)).toBe(3_000)
  })

  it('is written at once by a flush, which leaves nobody asleep', async () => {
    const { store, clock, onDisk } = createStore()
    for (let round = 1; round <= 3; round += 1) {
      store.update(MAIN_AGENT, addOne)
      expect(await store.flush()).toEqual(ok())
      expect(onDisk()).toBe(round)
    }
    expect(clock.sleepers()).toBe(0)
  })

  it('is the sum of what two processes learnt', async () => {
    const { store, ...fixture } = createStore()
    const other = createStateStore(fixture)
    for (let round = 0; round < 5; round += 1) {
      store.update(MAIN_AGENT, addOne)
      other.update(MAIN_AGENT, addOne)
      await Promise.all([store.flush(), other.flush()])
    }
    expect([await counted(store), await counted(other)]).toEqual([10, 10])
  })

  it('never shows a change twice or not at all, however reads and writes fall together', async () => {
    const { store } = createStore()
    let made = 0
    const reading = async (): Promise<void> => {
      for (let times = 0; times < 200; times += 1) {
        const before = made
        const seen = await counted(store)
        expect(seen).toBeGreaterThanOrEqual(before)
        expect(seen).toBeLessThanOrEqual(made)
      }
    }
    const changing = async (): Promise<void> => {
      for (let times = 0; times < 40; times += 1) {
        made += 1
        store.update(MAIN_AGENT, addOne)
        await store.flush()
      }
    }
    await Promise.all([reading(), changing(), reading()])
    expect(await counted(store)).toBe(40)
  })

  it('keeps its changes while the disk refuses them and writes them when it no longer does', async () => {
    const { store, home, onDisk } = createStore()
    writeFileSync(home.agentsDir, 'a file where a folder belongs')
    store.update(MAIN_AGENT, addOne)
    expect(await store.flush()).toMatchObject({ ok: false, fault: { code: 'EQ_STORE_UNWRITABLE' } })
    expect(await counted(store)).toBe(1)
    rmSync(home.agentsDir)
    store.update(MAIN_AGENT, addOne)
    expect(await store.flush()).toEqual(ok())
    expect(onDisk()).toBe(2)
  })

  it('concerns one agent, and one agent’s trouble is no other’s', async () => {
    const { store, home } = createStore()
    mkdirSync(home.statePath(WORK), { recursive: true })
    store.update(WORK, addOne)
    store.update(MAIN_AGENT, addOne)
    const fault = { code: 'EQ_STORE_UNSAFE', path: home.statePath(WORK), problem: 'not_a_file' }
    expect(await store.flush()).toEqual(fail(fault))
    expect(await counted(store)).toBe(1)
    expect(countIn(parseStateFile(readFileSync(home.statePath(MAIN_AGENT), 'utf8')))).toBe(1)
  })
})
