/** Writes docs/doctor.md from the program's own texts. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const outfile = `${root}/.scratch/doctor-page.mjs`
await mkdir(`${root}/.scratch`, { recursive: true })
await build({
  entryPoints: [`${root}/test/doctor-page.ts`],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  logLevel: 'error',
})
const { doctorPage } = await import(pathToFileURL(outfile).href)
await writeFile(`${root}/docs/doctor.md`, doctorPage())
await rm(outfile)
