// Writes equabot.schema.json from the settings' own schema. With --check, says whether it is up to date (exit 1: no).
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = new URL('../', import.meta.url)
const target = new URL('equabot.schema.json', root)

const bundle = await build({
  entryPoints: [fileURLToPath(new URL('src/wire/settings-json-schema.ts', root))],
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
})
const code = Buffer.from(bundle.outputFiles[0].contents).toString('base64')
const { settingsJsonSchema } = await import(`data:text/javascript;base64,${code}`)
const text = `${JSON.stringify(settingsJsonSchema(), null, 2)}\n`

if (process.argv.includes('--check')) {
  const committed = await readFile(target, 'utf8').catch(() => '')
  if (committed !== text) {
    console.error('equabot.schema.json is not up to date. Write it: node scripts/schema.mjs')
    process.exitCode = 1
  }
} else {
  await writeFile(target, text)
}
