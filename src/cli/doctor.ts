/** `equabot doctor`: what is wrong, how grave, and what puts it right. */

import type { Command } from 'commander'
import type { DoctorReport, Mended } from '../domain/doctor-report.ts'
import type { Fault } from '../domain/fault.ts'
import type { Finding } from '../domain/finding.ts'
import { tellFinding } from '../domain/finding-words.ts'
import { renewingWords } from '../domain/finding-words-logins.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { SECOND_MS } from '../domain/time.ts'
import type { App } from '../services/app.ts'
import type { Doctor } from '../services/doctor.ts'
import { doctorJson } from '../wire/doctor-json.ts'
import type { CommandContext, Output } from './command.ts'
import { appAction } from './command.ts'
import { doctorScreen } from './doctor-screen.ts'
import { examples } from './help.ts'
import { createLayout, lines } from './layout.ts'
import type { Terminal } from './terminal.ts'

interface Options {
  readonly fix?: boolean
  readonly yes?: boolean
  readonly offline?: boolean
}

export function addDoctorCommand(program: Command, context: CommandContext): void {
  const doctor = program
    .command('doctor')
    .description('Find out what is wrong with logins and files, and put it right')
    .option('--fix', 'put right what can be; what is changed is copied first')
    .option('--yes', 'with --fix: do not ask')
    .option('--offline', 'do not renew anything, so that nothing leaves this machine')
    .option('--json', 'print JSON that can be shown to others: no secrets, no mail addresses')
    .addHelpText(
      'after',
      '\nEnds with 0 when nothing is wrong, 1 when something is, 64 or more when it could not look.',
    )
    .action(
      appAction(context, (app, options: Options) => runDoctor(app, context.terminal, options)),
    )
  examples(doctor, [
    ['equabot doctor'],
    ['equabot doctor --fix', 'put right what can be'],
    ['equabot doctor --offline --json', 'for a script, or to show to others'],
  ])
}

async function runDoctor(
  app: App,
  terminal: Terminal,
  options: Options,
): Promise<Result<Output, Fault>> {
  const doctor = await app.openDoctor(terminal.interactive)
  const offline = options.offline ?? false
  const found = await patiently(app, terminal, 'Looking at logins and files', () =>
    doctor.examine({
      offline,
      onRenewal(profile) {
        if (terminal.interactive) terminal.err(`${renewingWords(profile)}\n`)
      },
    }),
  )
  if (!found.ok) return found
  const report = found.value
  const fixable = report.findings.filter((entry) => entry.fixable)
  if (!options.fix || fixable.length === 0)
    return output(app, terminal, report, options.fix ? [] : undefined)
  const agreed = await agreedTo(app, terminal, options, fixable, report)
  if (!agreed.ok) return agreed
  if (!agreed.value) return output(app, terminal, report, undefined)
  return mendAndLook(app, terminal, doctor, report)
}

/** On a terminal the person sees once what is to be done; a script has said so with `--fix`. */
async function agreedTo(
  app: App,
  terminal: Terminal,
  { yes }: Options,
  fixable: readonly Finding[],
  { now }: DoctorReport,
): Promise<Result<boolean, Fault>> {
  if (yes || !terminal.interactive) return ok(true)
  const layout = createLayout(terminal)
  const rows = fixable.map((entry) => {
    const { message } = tellFinding(entry, { show: app.show, now })
    return layout.paragraph(`${entry.code}  ${layout.paint('dim', message)}`, {
      indent: 4,
      first: '  ',
    })
  })
  terminal.err(`${lines('To be put right:', ...rows)}\n`)
  return terminal.confirm(fixable.length === 1 ? 'Do it?' : `Do these ${fixable.length}?`)
}

async function mendAndLook(
  app: App,
  terminal: Terminal,
  doctor: Doctor,
  before: DoctorReport,
): Promise<Result<Output, Fault>> {
  const mended = await patiently(app, terminal, 'Putting right what can be', () =>
    doctor.mend(before),
  )
  const after = await doctor.examine({ offline: true })
  if (!after.ok) return after
  const adopted = [...before.adopted, ...after.value.adopted]
  return output(app, terminal, { ...after.value, adopted }, mended)
}

function output(
  app: App,
  terminal: Terminal,
  report: DoctorReport,
  mended: readonly Mended[] | undefined,
): Result<Output, Fault> {
  return ok({
    text: doctorScreen(report, mended, { layout: createLayout(terminal), show: app.show }),
    json: doctorJson(report, mended, app.show),
    exit: report.ok ? 0 : 1,
  })
}

/** Says what is being done when it takes longer than a person expects. */
async function patiently<T>(
  app: App,
  terminal: Terminal,
  words: string,
  work: () => Promise<T>,
): Promise<T> {
  const ended = new AbortController()
  if (terminal.interactive) {
    void app.clock.sleep(SECOND_MS, ended.signal).then(() => {
      if (!ended.signal.aborted) terminal.err(`${words} …\n`)
    })
  }
  try {
    return await work()
  } finally {
    ended.abort()
  }
}
