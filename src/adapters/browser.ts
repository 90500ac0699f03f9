/** The browser of the person at this machine. The package that starts it is loaded when it is needed. */

import type { Browser } from '../domain/renewal-ports.ts'

export interface BrowserDeps {
  readonly variables: ReadonlyMap<string, string>
  readonly platform: NodeJS.Platform
  /** Starts the program that shows a page; the package `open` unless told. */
  readonly start?: (url: string) => Promise<unknown>
}

export function createBrowser({ variables, platform, start = startOpen }: BrowserDeps): Browser {
  const has = (name: string): boolean => (variables.get(name) ?? '').trim() !== ''

  return {
    isAtHand() {
      // Whoever comes by ssh has a browser, but it is elsewhere: it could not come back to this loopback.
      if (has('SSH_CONNECTION') || has('SSH_TTY')) return false
      if (platform !== 'linux') return true
      return has('DISPLAY') || has('WAYLAND_DISPLAY') || has('WSL_DISTRO_NAME')
    },

    async open(url) {
      if (!isPage(url)) return false
      try {
        await start(url)
        return true
      } catch {
        return false
      }
    },
  }
}

/** A `file:` or `javascript:` address is never given to the system. */
function isPage(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

async function startOpen(url: string): Promise<void> {
  const { default: open } = await import('open')
  const child = await open(url)
  // A program that is there but cannot show anything says so later, to nobody.
  child.on('error', () => undefined)
}
