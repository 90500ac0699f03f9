import type { Finding } from '../src/domain/finding.ts'
import { tellFinding } from '../src/domain/finding-words.ts'
import { FAKE_NOW } from '../src/testing.ts'
import { FINDING_SAMPLES } from './finding-samples.ts'

const ROOMS: readonly { readonly title: string; readonly codes: RegExp }[] = [
  { title: 'The state folder, the disk, the clock', codes: /^DR_(?:STATE|FOLDER|FILE|DISK|CLOCK)/ },
  { title: 'What stands in the files', codes: /^DR_(?:BOOK|CONFIG|ENV|AGENT|ORDER|CHECK)/ },
  { title: 'Logins', codes: /^DR_(?:FOREIGN|GRANT)/ },
  {
    title: 'Credentials and their use',
    codes: /^DR_(?:ACCESS|SECRET|POLICY|RESTING|CREDENTIAL|PROFILE)/,
  },
]

const INTRODUCTION = `# Doctor

\`equabot doctor\` takes over the logins of other programs, then looks at every file, login and setting of this user and says
what is wrong, the gravest first. It ends with 0 when nothing is (no error, no warning), with 1 when something is, and
with 64 or more when it could not look at all.

- \`--offline\` renews nothing, so nothing leaves this machine. Without it, every login of Equabot's own whose access has
  ended is renewed now: that proves that it lives. Copies of one login, also of one that another program keeps, are not.
- \`--fix\` puts right what is marked below. A person at a terminal is asked once; a script is not, and \`--yes\` does not ask
  either. A file whose content changes is copied before, to \`<file>.before-doctor-<time>\` (the settings to \`.bak\` where only
  older spellings are renewed). Only what Equabot itself makes in its state folder is looked at, and modes are
  changed of this user's own files alone, never taking from the owner; no link is followed; no file with a login in it is
  removed. Then doctor looks again and reports what is left.
- \`--json\` prints \`{"ok", "findings": [{"code", "severity", "message", "fix", "fixable", "fixed"}], "adopted", "looked"}\`. It
  holds no secret and no mail address, so it can be shown to others.

Codes do not change. The texts below are examples: real ones name your file or profile. This page is made by
\`node scripts/doctor-page.mjs\` from the program's own texts; a test keeps both equal.
`

/** The text of docs/doctor.md. */
export function doctorPage(): string {
  return [INTRODUCTION, ...ROOMS.map(({ title, codes }) => section(title, codes))].join('\n')
}

/** Codes that stand in no section, or in several. */
export function misplacedFindings(): readonly string[] {
  return FINDING_SAMPLES.map(({ code }) => code).filter(
    (code) => ROOMS.filter(({ codes }) => codes.test(code)).length !== 1,
  )
}

function section(title: string, codes: RegExp): string {
  const rows = FINDING_SAMPLES.filter(({ code }) => codes.test(code)).map(row)
  return `## ${title}\n\n| code | severity | says | fix | \`--fix\` does it |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
}

function row(finding: Finding): string {
  const show = (path: string): string =>
    path.replace(/^\/state/, '~/.equabot').replace(/^\/home/, '~')
  const { message, fix } = tellFinding(finding, { show, now: FAKE_NOW })
  const { code, severity, fixable } = finding
  return `| \`${code}\` | ${severity} | ${cell(message)} | ${cell(fix)} | ${fixable ? 'yes' : ''} |`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')
}
