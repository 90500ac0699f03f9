import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createOwnerProgram } from '../../src/adapters/owner-program.ts'
import type { ForeignOrigin } from '../../src/domain/foreign.ts'
import { temporaryFolder } from './temporary-folder.ts'

const PATIENCE_MS = 20_000

/** An owner's program of our own that does as `script` says. */
function setUp(script: string, origin: ForeignOrigin = 'claude-code') {
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
  const owner = createOwnerProgram({ origin, variables, folder })
  return { owner, folder, file: (path: string) => readFileSync(join(folder, path), 'utf8') }
}

describe("an owner's program", () => {
  it('runs with a small prompt, in the folder, and ends', async () => {
    const { owner, file, folder } = setUp('printf "%s|" "$@" > args; pwd > where; cat > input')
    expect(await owner.run(PATIENCE_MS)).toEqual({ ended: true, exit: 0, words: '' })
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
    expect(await owner.run(PATIENCE_MS)).toEqual({ ended: true, exit: 3, words: '' })
    const { owner: killed } = setUp('kill -TERM $$')
    expect(await killed.run(PATIENCE_MS)).toEqual({ ended: true, words: 'SIGTERM' })
  })

  it('that is not there is told', async () => {
    const folder = temporaryFolder()
    const owner = createOwnerProgram({
      origin: 'claude-code',
      variables: new Map([['PATH', folder]]),
      folder,
    })
    expect(await owner.run(PATIENCE_MS)).toEqual({ ended: true, words: 'ENOENT' })
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

  it('is left running when our patience ends, and who asks again waits for the same one', async () => {
    const { owner, folder, file } = setUp(
      'echo started >> starts; while [ ! -e go ]; do sleep 0.02; done; echo done > end',
    )
    expect(await owner.run(50)).toEqual({ ended: false, words: '' })
    const again = owner.run(PATIENCE_MS)
    expect(existsSync(join(folder, 'end'))).toBe(false)
    writeFileSync(join(folder, 'go'), '')
    expect(await again).toEqual({ ended: true, exit: 0, words: '' })
    expect(file('end')).toBe('done\n')
    expect(file('starts')).toBe('started\n')
  })
})
