/** Looks at `.env` and the settings for what works and should not stay so. */

import type { FileCheck } from '../domain/ports.ts'
import { literalSecretWords, openToOthersWords } from '../domain/wording.ts'
import { secretFields } from '../wire/settings-secrets.ts'
import { envFileFindings } from './environment.ts'
import type { Files } from './files.ts'
import type { Home } from './home.ts'

export function createFileCheck(deps: {
  readonly home: Pick<Home, 'envFilePath' | 'tildify'>
  readonly files: Pick<Files, 'read'>
}): FileCheck {
  const envFile = deps.home.tildify(deps.home.envFilePath)
  return async function checkFiles(settings) {
    const found = await envFileFindings(deps.home.envFilePath, deps.files)
    const inEnvFile = (found.ok ? found.value : []).map((finding) =>
      finding.kind === 'line'
        ? { field: `${envFile}, line ${finding.line}`, problem: finding.problem }
        : { field: envFile, problem: openToOthersWords(envFile, finding.mode) },
    )
    const inSettings = secretFields(settings.raw).map((field) => ({
      field: `${deps.home.tildify(settings.path)}: ${field}`,
      problem: literalSecretWords(),
    }))
    return [...inEnvFile, ...inSettings]
  }
}
