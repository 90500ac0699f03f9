import { readFileSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createOwnerProgram } from '../../src/adapters/owner-program.ts'
import type { ForeignOrigin } from '../../src/domain/foreign.ts'
import { temporaryFolder } from './temporary-folder.ts'

const PATIENCE_MS = 20_000
/** Long enough for a shell to begin. */
const LITTLE_PATIENCE_MS = 3_000

/** An owner's program of our own that does as `script` says. */
function setUp(script: string, origin: ForeignOrigin = 'claude-code', graceMs?: number) {
  const folder = temporaryFolder()
  const name = origin === 'claude-code' ? 'claude' : 'codex'
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o700 })
  const variables = new Map([
    ['PATH', `${folder}:${process.env['PATH'] ?? ''}`],
    ['HOME', folder],
    ['CLAUDE_CONFIG_DIR', join(folder, 'claude')],
    ['CODEX_HOME', join(folder, 'codex')],
    ['HTTPS_PROXY', 'http://127.0.0.1:9'],
    ['ANTHROPIC_API_KEY', 'fake-key'],
    ['CLAUDE_CODE_OAUTH_TOKEN', 'fake-token'],
    ['NODE_OPTIONS', '--inspect'],
  ])
  const owner = createOwnerProgram({
    origin,
    variables,
    folder,
    ...(graceMs !== undefined && { graceMs }),
  })
  return { owner, folder, file: (path: string) => readFileSync(join(folder, path), 'utf8') }
}

describe("an owner's program", () => {
  it('runs with a small prompt, in the folder, and ends', async () => {
    const { owner, file, folder } = setUp('printf "%s|" "$@" > args; pwd > where; cat > input')
    expect(await owner.run(PATIENCE_MS)).toEqual({ kind: 'ended', exit: 0 })
    expect(file('args')).toBe('-p|Reply with the single word ok.|')
    expect(file('where').trim()).toBe(folder)
    expect(file('input')).toBe('')
  })

  it('of Codex may write nothing', async () => {
    const { owner, file } = setUp('printf "%s|" "$@" > args', 'codex-cli')
    await owner.run(PATIENCE_MS)
    expect(file('args')).toBe(
      'exec|--skip-git-repo-check|--sandbox|read-only|Reply with the single word ok.|',
    )
  })

  it('gets its home, its folders and the proxies, and no key or token', async () => {
    const { owner, file } = setUp('env > env')
    await owner.run(PATIENCE_MS)
    const names = file('env')
      .split('\n')
      .flatMap((line) => line.split('=')[0] || [])
    expect(names).toEqual(
      expect.arrayContaining(['PATH', 'HOME', 'CLAUDE_CONFIG_DIR', 'CODEX_HOME', 'HTTPS_PROXY']),
    )
    for (const name of ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN', 'NODE_OPTIONS']) {
      expect(names).not.toContain(name)
    }
  })

  it('tells how it ended, and nothing that it printed', async () => {
    const { owner } = setUp('echo a-word; echo another >&2; exit 3')
    expect(await owner.run(PATIENCE_MS)).toEqual({ kind: 'ended', exit: 3 })
    const { owner: killed } = setUp('kill -TERM $$')
    expect(await killed.run(PATIENCE_MS)).toEqual({ kind: 'killed', signal: 'SIGTERM' })
  })

  it('that is not there is told', async () => {
    const folder = temporaryFolder()
    const owner = createOwnerProgram({
      origin: 'claude-code',
      variables: new Map([['PATH', folder]]),
      folder,
    })
    expect(await owner.run(PATIENCE_MS)).toEqual({ kind: 'not_started', errno: 'ENOENT' })
  })

  it('is in a process group of its own', async () => {
    const { owner, file } = setUp('ps -o pgid= -p $$ > group')
    await owner.run(PATIENCE_MS)
    const ours = execFileSync('ps', ['-o', 'pgid=', '-p', String(process.pid)], {
      encoding: 'utf8',
    })
    expect(file('group').trim()).toMatch(/^\d+$/)
    expect(file('group').trim()).not.toBe(ours.trim())
  })

  it('that does not end in time is ended, with all that it started', async () => {
    const { owner, file } = setUp('echo $$ > group; sleep 600 & sleep 600', 'claude-code', 50)
    expect(await owner.run(LITTLE_PATIENCE_MS)).toEqual({ kind: 'out_of_patience' })
    expect(membersOf(file('group').trim())).toEqual([])
  })

  it('that will not be asked to end is ended all the same', async () => {
    const { owner, file } = setUp(
      "trap '' TERM; echo $$ > group; while :; do sleep 0.1; done",
      'claude-code',
      50,
    )
    expect(await owner.run(LITTLE_PATIENCE_MS)).toEqual({ kind: 'out_of_patience' })
    expect(membersOf(file('group').trim())).toEqual([])
  })
})

/** The processes of a group that still run; what has ended and was not yet taken leave of does not count. */
function membersOf(group: string): readonly string[] {
  const all = execFileSync('ps', ['-eo', 'pgid=,stat='], { encoding: 'utf8' }).split('\n')
  return all.filter((line) => {
    const [pgid, state] = line.trim().split(/\s+/)
    return pgid === group && !state?.startsWith('Z')
  })
}
