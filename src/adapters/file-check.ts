/** Looks at `.env` and the settings for what works and should not stay so. */

import { stat } from 'node:fs/promises'
import type { FileCheck, FileProblem } from '../domain/ports.ts'
import { literalSecretWords, openToOthersWords } from '../domain/wording.ts'
import { parseEnvText } from '../wire/env-file.ts'
import { secretFields } from '../wire/settings-secrets.ts'
import type { Files } from './files.ts'
import type { Home } from './home.ts'

interface Deps {
  readonly home: Pick<Home, 'envFilePath' | 'tildify'>
  readonly files: Pick<Files, 'read'>
}

export function createFileCheck(deps: Deps): FileCheck {
  return async function checkFiles(settings, books) {
    const inSettings = secretFields(settings.raw).map((field) => ({
      field: `${deps.home.tildify(settings.path)}: ${field}`,
      problem: literalSecretWords(),
    }))
    const open = await Promise.all(books.map((path) => openProblem(deps, path)))
    return [...open.flat(), ...(await envFileProblems(deps)), ...inSettings]
  }
}

async function openProblem({ home }: Deps, path: string): Promise<readonly FileProblem[]> {
  const mode = await modeForOthers(path)
  const shown = home.tildify(path)
  return mode === undefined ? [] : [{ field: shown, problem: openToOthersWords(shown, mode) }]
}

/** Lines of `.env` that say nothing; never their text. */
export async function envLines({
  home,
  files,
}: Deps): Promise<readonly { readonly line: number; readonly problem: string }[]> {
  const file = await files.read(home.envFilePath)
  return file.ok && file.value ? parseEnvText(file.value.text).problems : []
}

/** None when there is no `.env`, or none that can be read: whoever needs its variables says that. */
async function envFileProblems({ home, files }: Deps): Promise<readonly FileProblem[]> {
  const path = home.envFilePath
  const shown = home.tildify(path)
  const file = await files.read(path)
  if (!file.ok || !file.value) return []
  const lines = parseEnvText(file.value.text).problems.map(({ line, problem }) => ({
    field: `${shown}, line ${line}`,
    problem,
  }))
  return [...(await openProblem({ home, files }, path)), ...lines]
}

/** The mode of a file that other users may read or write. */
async function modeForOthers(path: string): Promise<number | undefined> {
  if (process.platform === 'win32') return undefined
  try {
    const mode = (await stat(path)).mode & 0o777
    return (mode & 0o077) === 0 ? undefined : mode
  } catch {
    return undefined
  }
}
