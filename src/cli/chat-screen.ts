/** What a chat shows: replies as they come, notices beside them, faults with what to do. */

import { explain } from '../domain/explain.ts'
import type { Fault } from '../domain/fault.ts'
import { printable } from '../domain/printable.ts'
import type { EpochMs } from '../domain/time.ts'
import type { Layout } from './layout.ts'
import { createLayout, lines } from './layout.ts'
import type { Terminal } from './terminal.ts'

export interface ChatScreen {
  /** A piece of a reply. */
  reply(text: string): void
  /** Ends the line that the reply is on. */
  endReply(): void
  notice(text: string): void
  fault(fault: Fault): void
}

type ScreenTerminal = Pick<Terminal, 'out' | 'err' | 'colour' | 'width' | 'outputIsTerminal'>

/** For a person: everything stands in one stream, in the order in which it happened. */
export function createPersonScreen(terminal: ScreenTerminal, now: () => EpochMs): ChatScreen {
  const layout = createLayout(terminal)
  const replies = createReplyPrinter(terminal)
  const say = (line: string): void => {
    replies.endReply()
    terminal.out(`${line}\n`)
  }
  return {
    ...replies,
    notice: (text) => say(layout.paint('dim', text)),
    fault: (fault) => say(faultLines(layout, fault, now())),
  }
}

/** For a program: nothing but replies on stdout. */
export function createScriptScreen(terminal: ScreenTerminal, now: () => EpochMs): ChatScreen {
  return {
    ...createReplyPrinter(terminal),
    notice: (text) => terminal.err(`${printable(text)}\n`),
    fault(fault) {
      const { message, hint } = explain(fault, now())
      terminal.err(printable(`${lines(message, hint)}\n`))
    },
  }
}

function createReplyPrinter(terminal: ScreenTerminal): Pick<ChatScreen, 'reply' | 'endReply'> {
  let midLine = false
  return {
    reply(text) {
      const safe = printable(text)
      if (safe === '') return
      terminal.out(safe)
      midLine = !safe.endsWith('\n')
    },
    endReply() {
      if (midLine) terminal.out('\n')
      midLine = false
    },
  }
}

function faultLines(layout: Layout, fault: Fault, now: EpochMs): string {
  const { message, hint } = explain(fault, now)
  return lines(layout.paint('bad', message), layout.paint('dim', hint))
}
