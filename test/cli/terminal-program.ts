/** What the tests of the terminal run on a terminal of their own: `node terminal-program.mjs <job> [--no-color]`. */

import type { Terminal } from '../../src/cli/terminal.ts'
import { createTerminal } from '../../src/cli/terminal.ts'

const stopping = new AbortController()
process.on('SIGTERM', () => stopping.abort())
const job = process.argv[2] ?? ''
const terminal = createTerminal(process, {
  plain: process.argv.includes('--no-color'),
  signal: stopping.signal,
})

const jobs: Readonly<Record<string, (terminal: Terminal) => Promise<unknown>>> = {
  async secret({ askSecret }) {
    const answer = await askSecret('Paste it', 'Pipe it in')
    return answer.ok ? [...answer.value].toReversed().join('') : answer.fault
  },
  confirm: ({ confirm }) => confirm('Sure?'),
  choose: ({ choose }) =>
    choose(
      'Which?',
      ['first', 'second'].map((value) => ({ value, label: value })),
      'Name it',
    ),
  input: ({ readInput }) => readInput(),
  facts: async ({ interactive, inputIsTerminal, outputIsTerminal, colour, width }) => ({
    interactive,
    inputIsTerminal,
    outputIsTerminal,
    colour,
    width,
  }),
}

const result = await jobs[job]?.(terminal)
terminal.out(`result ${JSON.stringify(result)}\n`)
