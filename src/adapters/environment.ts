/**
 * Variables and where each comes from: the process, then `.env` of the state folder, then `env` in the settings, then
 * the login shell. The first that is not blank counts. A `.env` in the current folder is never read.
 */

import type { StoreFault } from '../domain/fault.ts'
import type { EnvironmentReader } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import type { VariableSource } from '../domain/rotation.ts'
import { Secret } from '../domain/secret.ts'
import type { Settings } from '../domain/settings.ts'
import type { Environment, Variable } from '../domain/world.ts'
import { fillReferences, referencedNames } from '../domain/world.ts'
import type { EnvEntry } from '../wire/env-file.ts'
import { parseEnvText } from '../wire/env-file.ts'
import type { Files } from './files.ts'
import type { ShellEnvironment } from './shell-env.ts'

export interface EnvironmentReaderDeps {
  /** The process environment. */
  readonly variables: ReadonlyMap<string, string>
  readonly envFilePath: string
  readonly files: Pick<Files, 'read' | 'version'>
  readonly shell: ShellEnvironment
}

type EnvFile = ReadonlyMap<string, EnvEntry>

export function createEnvironmentReader(deps: EnvironmentReaderDeps): EnvironmentReader {
  const { variables, envFilePath, shell } = deps
  const readEnvFile = createEnvFileReader(deps)

  /** The variables that are set with higher right than a reference in the settings. */
  function lookUp(name: string, file: EnvFile, vars: Settings['env']['vars']) {
    const entry = file.get(name)
    const configured = vars.get(name) ?? ''
    const literal = referencedNames(configured).length === 0 ? configured : ''
    return (
      variable(variables.get(name), { kind: 'process' }) ??
      (entry && variable(entry.value, { kind: 'env_file', path: envFilePath, line: entry.line })) ??
      variable(literal, configSource(name))
    )
  }

  async function fromShell(settings: Settings['env'], names: readonly string[]) {
    if (!settings.shellEnv.enabled || names.length === 0) return new Map<string, Variable>()
    const captured = await shell.read(settings.shellEnv.timeoutMs)
    return collect(names, (name) =>
      variable(captured?.variables.get(name), { kind: 'shell', shell: captured?.shell ?? '' }),
    )
  }

  return {
    async read(settings, names) {
      const file = await readEnvFile()
      if (!file.ok) return file
      const references = names.flatMap((name) => referencedNames(settings.vars.get(name) ?? ''))
      const wanted = [...new Set([...names, ...references])]
      const set = collect(wanted, (name) => lookUp(name, file.value, settings.vars))
      const missing = wanted.filter((name) => !set.has(name))
      const late = await fromShell(settings, missing)

      const known = new Map([...late, ...set])
      return ok(
        collect(names, (name) => {
          const template = set.has(name) ? undefined : settings.vars.get(name)
          const filled = template === undefined ? undefined : fillReferences(template, known)
          const configured = filled && 'text' in filled ? filled.text : undefined
          return variable(configured, configSource(name)) ?? known.get(name)
        }),
      )
    },
  }
}

/** The file's variables, read again when the file has changed. */
function createEnvFileReader({ envFilePath, files }: EnvironmentReaderDeps) {
  let cached: { readonly version: string; readonly entries: EnvFile } | undefined

  return async function readEnvFile(): Promise<Result<EnvFile, StoreFault>> {
    const version = await files.version(envFilePath)
    if (!version.ok) return version
    if (cached && cached.version === version.value) return ok(cached.entries)
    const file = await files.read(envFilePath)
    if (!file.ok) return file
    if (!file.value) return ok(new Map())
    const { entries } = parseEnvText(file.value.text)
    cached = {
      version: file.value.version,
      entries: new Map(entries.map((entry) => [entry.name, entry])),
    }
    return ok(cached.entries)
  }
}

function configSource(name: string): VariableSource {
  return { kind: 'config', field: `env.vars.${name}` }
}

/** A variable, unless it is blank. Blanks around a value come from copying, and no key has them. */
function variable(value: string | undefined, from: VariableSource): Variable | undefined {
  const trimmed = value?.trim() ?? ''
  return trimmed === '' ? undefined : { value: new Secret(trimmed), from }
}

function collect(
  names: readonly string[],
  find: (name: string) => Variable | undefined,
): Environment {
  const found = new Map<string, Variable>()
  for (const name of names) {
    const value = find(name)
    if (value) found.set(name, value)
  }
  return found
}
