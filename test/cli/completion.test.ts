import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { ran } from './login-app.ts'

/** What bash offers for the last word of a command line. */
async function offered(script: string, line: string): Promise<readonly string[]> {
  const words = line.split(' ')
  const program = `${script}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
_equabot
printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout.split('\n').filter((word) => word !== '')
}

describe('the completion of bash', async () => {
  const { out: script } = await ran(['completion', 'bash'])

  it.each([
    ['equabot mod', ['models']],
    ['equabot models auth ord', ['order']],
    ['equabot models auth order ', ['get', 'set', 'clear', 'help', '--help']],
    ['equabot models status --ch', ['--check']],
    ['equabot models status --check --js', ['--json']],
    ['equabot models auth paste-token --provider anthropic --ex', ['--expires-in']],
    ['equabot models auth paste-token --type a', ['api_key']],
    ['equabot models auth paste-token --provider ', []],
    ['equabot completion f', ['fish']],
    ['equabot nosuch mod', ['models']],
  ])('offers after "%s"', async (line, words) => {
    expect(await offered(script, line)).toEqual(words)
  })
})

describe.each(['bash', 'zsh', 'fish'])('the script for %s', (shell) => {
  it('knows the commands and options of every level', async () => {
    const { exit, out } = await ran(['completion', shell])
    expect(exit).toBe(0)
    for (const word of ['models auth order', 'paste-token', 'expires-in', 'api_key']) {
      expect(out).toContain(word)
    }
  })

  it('is accepted by the shell, where there is one', async () => {
    const { out } = await ran(['completion', shell])
    const checked = spawnSync(shell, ['-n'], { input: out, encoding: 'utf8' })
    if (checked.error) return
    expect(checked).toMatchObject({ status: 0, stderr: '' })
  })
})
