import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { settingsJsonSchema } from '../../src/wire/settings-json-schema.ts'

test('the schema for editors is the one that the settings are checked by', async () => {
  const committed = await readFile(new URL('../../equabot.schema.json', import.meta.url), 'utf8')
  expect(committed).toBe(`${JSON.stringify(settingsJsonSchema(), null, 2)}\n`)
})
