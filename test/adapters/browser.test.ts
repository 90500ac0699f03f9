import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { createBrowser } from '../../src/adapters/browser.ts'

const browserOf = (variables: Readonly<Record<string, string>>, platform: NodeJS.Platform) =>
  createBrowser({ variables: new Map(Object.entries(variables)), platform })

test.each([
  ['a Linux desktop', { DISPLAY: ':0' }, 'linux', true],
  ['Wayland', { WAYLAND_DISPLAY: 'wayland-0' }, 'linux', true],
  ['WSL', { WSL_DISTRO_NAME: 'Debian' }, 'linux', true],
  ['a Linux server', {}, 'linux', false],
  ['a blank display', { DISPLAY: ' ' }, 'linux', false],
  ['ssh with a forwarded display', { SSH_CONNECTION: 'a', DISPLAY: ':10' }, 'linux', false],
  ['macOS', {}, 'darwin', true],
  ['macOS by ssh', { SSH_TTY: '/dev/ttys001' }, 'darwin', false],
  ['Termux', {}, 'android', true],
] as const)('%s', (_where, variables, platform, expected) => {
  expect(browserOf(variables, platform).isAtHand()).toBe(expected)
})

test.each([
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:text/html,x',
  'x-apple.systempreferences:',
  '$(touch x)',
  '-a Calculator',
  '',
])('%s is never given to the system', async (url) => {
  const start = vi.fn<(url: string) => Promise<undefined>>(async () => undefined)
  const browser = createBrowser({ variables: new Map(), platform: 'linux', start })
  expect(await browser.open(url)).toBe(false)
  expect(start).not.toHaveBeenCalled()
})

test('a page is opened; that it could not be is no failure', async () => {
  const start = vi.fn<(url: string) => Promise<undefined>>(async () => undefined)
  const browser = createBrowser({ variables: new Map(), platform: 'linux', start })
  expect(await browser.open('https://login.example.com/a?b=c&d=e')).toBe(true)
  expect(start).toHaveBeenCalledWith('https://login.example.com/a?b=c&d=e')
  start.mockRejectedValueOnce(new Error('no xdg-open'))
  expect(await browser.open('https://login.example.com')).toBe(false)
})

test.runIf(process.platform === 'linux')(
  'the address reaches the opener as one argument, past every shell',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'equabot-browser-'))
    const opener = join(dir, 'xdg-open')
    const seen = join(dir, 'seen')
    await writeFile(
      opener,
      `#!/bin/sh\nprintf '%s\\n' "$#" "$1" > "${seen}.part"\nmv "${seen}.part" "${seen}"\n`,
    )
    await chmod(opener, 0o755)
    vi.stubEnv('PATH', `${dir}:${process.env['PATH']}`)
    // The package brings an xdg-open of its own, which the bundle leaves out; where it is Electron it is passed over.
    Object.defineProperty(process.versions, 'electron', { value: '0', configurable: true })
    try {
      const url = "https://login.example.com/?a=1&b=$(touch%20x)';`id`"
      expect(await createBrowser({ variables: new Map(), platform: 'linux' }).open(url)).toBe(true)
      await expect.poll(() => readFile(seen, 'utf8').catch(() => '')).toBe(`1\n${url}\n`)
    } finally {
      Reflect.deleteProperty(process.versions, 'electron')
      vi.unstubAllEnvs()
      await rm(dir, { recursive: true })
    }
  },
)
