/** Whose view a report is, and how the views of a shell and of the gateway differ, in words. */

/** @param pid of the gateway */
export function eventsFollowedWords(url: string, pid: number): string {
  return `Following the gateway at ${url} (pid ${pid}). Ctrl-C ends this`
}

export function eventsGoneWords(pid: number): string {
  return `The gateway (pid ${pid}) has gone. Waiting for one; start it: equabot gateway run`
}
