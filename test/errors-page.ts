import { explain } from '../src/domain/explain.ts'
import type { Fault } from '../src/domain/fault.ts'
import { FAKE_NOW } from '../src/testing.ts'
import { FAULT_SAMPLES } from './fault-samples.ts'

const ROOMS: readonly { readonly title: string; readonly codes: RegExp }[] = [
  {
    title: 'What was typed',
    codes:
      /^EQ_(?:USAGE|NAME|DURATION|PROVIDER|PROFILE|AGENT|SESSION_UNKNOWN|MODEL|ALIAS|FALLBACK|ORDER|CONFIRM|CLIENT_(?:UNKNOWN|EXISTS|KEY)|SETUP)/,
  },
  { title: 'Secrets and prompts', codes: /^EQ_(?:SECRET|PROMPT|INTERRUPTED)/ },
  { title: 'Files of the state folder', codes: /^EQ_(?:HOME|STORE|LOCK|LEDGER)/ },
  { title: 'Logins of other programs', codes: /^EQ_(?:FOREIGN|KEYCHAIN)/ },
  { title: 'Renewal', codes: /^EQ_(?:GRANT|RENEWAL)/ },
  { title: 'Logging in', codes: /^EQ_(?:LOGIN|PROGRAM|IMPORT)/ },
  { title: 'Settings', codes: /^EQ_CONFIG/ },
  {
    title: 'The gateway and its callers',
    codes:
      /^EQ_(?:GATEWAY|CALLER|CLIENTS|CLIENT_(?!UNKNOWN|EXISTS|KEY)|ROUTE|REQUEST_(?!CANCELLED))/,
  },
  {
    title: 'Requests that could not be served',
    codes: /^EQ_(?:CREDENTIAL|PIN|UPSTREAM|REQUEST_CANCELLED|SESSION_BUSY)/,
  },
  { title: 'Slash commands', codes: /^EQ_SLASH/ },
  { title: 'Faults of Equabot itself', codes: /^EQ_INTERNAL/ },
]

const INTRODUCTION = `# Errors

Every fault that Equabot tells has a code that does not change. The texts below are examples: real ones name your file,
profile or field. On the command line the text goes to stderr and the program ends with the exit code; with \`--json\` the
same stands on stdout as \`{"ok": false, "error": {"code", "message", "hint"}}\`. The gateway answers with the HTTP status,
in the dialect of the client, and puts \`code\` and \`hint\` beside the message.

Exit codes: 0 fine · 1 the answer is no · 2 expiring (\`models status --check\` only) · 64 usage · 65 bad data file ·
69 provider or gateway unreachable · 70 a bug of ours · 75 busy, try again · 77 not permitted · 78 bad configuration ·
130 interrupted.

This page is made by \`node scripts/errors-page.mjs\` from the program's own texts; a test keeps both equal.
`

/** The text of docs/errors.md. */
export function errorsPage(): string {
  const faults = Object.values(FAULT_SAMPLES)
  return `${[INTRODUCTION, ...ROOMS.map(({ title, codes }) => section(title, faults, codes))].join('\n')}`
}

/** Codes that stand in no section, or in several. */
export function misplacedCodes(): readonly string[] {
  return Object.keys(FAULT_SAMPLES).filter(
    (code) => ROOMS.filter(({ codes }) => codes.test(code)).length !== 1,
  )
}

function section(title: string, faults: readonly Fault[], codes: RegExp): string {
  const rows = faults.filter(({ code }) => codes.test(code)).map(row)
  return `## ${title}\n\n| code | says | how to solve | exit | HTTP |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
}

function row(fault: Fault): string {
  const { message, hint, exit, http } = explain(fault, FAKE_NOW)
  return `| \`${fault.code}\` | ${cell(message)} | ${cell(hint)} | ${exit} | ${http} |`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')
}
