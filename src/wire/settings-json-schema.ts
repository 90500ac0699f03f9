/** The schema of `equabot.json` for editors. For the build and its tests alone: nothing that users run imports this. */

import { toJsonSchema } from '@valibot/to-json-schema'
import type { JsonSchema } from '@valibot/to-json-schema'
import { SETTINGS_SCHEMA } from './settings-schema.ts'

/** What editors can check; checks that need a program, such as names and addresses, are left to us. */
export function settingsJsonSchema(): JsonSchema {
  return {
    ...toJsonSchema(SETTINGS_SCHEMA, { errorMode: 'ignore' }),
    title: 'Settings of Equabot (equabot.json)',
  }
}
