/** A person at a real terminal: sees what the program draws, and types. */

import { spawn } from '@lydell/node-pty'

export interface Seat {
  /** Resolves when what was printed since the last match matches, with the text up to the end of the match. */
  see(pattern: RegExp): Promise<string>
  type(text: string): void
  /** Everything the screen was sent. */
  screen(): string
  ended(): Promise<number>
}

/** @param args what Node runs */
export function sitDown(
  args: readonly string[],
  home: string,
  env: Record<string, string>,
): { readonly seat: Seat; leave(): Promise<unknown> } {
  const terminal = spawn(process.execPath, [...args], {
    name: 'xterm-256color',
    cols: 100,
    rows: 40,
    cwd: home,
    env: { TERM: 'xterm-256color', ...env },
  })
  let screen = ''
  let seen = 0
  let code: number | undefined
  const waiting = new Set<() => void>()
  const tell = (): void => {
    for (const look of waiting) look()
  }
  terminal.onData((text) => {
    screen += text
    tell()
  })
  const ending = new Promise<number>((resolve) => {
    terminal.onExit(({ exitCode }) => {
      code = exitCode
      tell()
      resolve(exitCode)
    })
  })
  const seat: Seat = {
    screen: () => screen,
    type: (text) => terminal.write(text),
    ended: () => ending,
    see: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const fresh = screen.slice(seen)
          const match = pattern.exec(fresh)
          if (match) {
            const end = match.index + match[0].length
            seen += end
            resolve(fresh.slice(0, end))
          } else if (code !== undefined) {
            reject(new Error(`ended with ${code} before ${String(pattern)}:\n${screen}`))
          } else return
          waiting.delete(look)
        }
        waiting.add(look)
        look()
      }),
  }
  return {
    seat,
    leave() {
      if (code === undefined) terminal.kill('SIGKILL')
      return ending
    },
  }
}
