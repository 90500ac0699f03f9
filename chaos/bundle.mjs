/**
 * Programs made of src/: the built one, and drivers that use parts of it without a command line.
 *
 * A breakage is a piece of source that is replaced on the way into a bundle: it takes a safeguard out, so that a test
 * can show that the experiment notices. One that no longer fits its source is an error, not a pass.
 */
import { mkdtempSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { leaveBehind, ROOT } from './stand.mjs'

const BUILT = { program: join(ROOT, 'dist', 'equabot.js'), helper: join(ROOT, 'dist', 'renew.js') }
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

/**
 * The program and the process that renews: the built ones, or broken ones.
 *
 * @param {{ file: string, from: string, to: string }} [breakage]
 */
export async function programs(breakage) {
  if (!breakage) return BUILT
  const folder = await bundle({ equabot: 'src/main.ts', renew: 'src/renew.ts' }, breakage)
  return { program: join(folder, 'equabot.js'), helper: join(folder, 'renew.js') }
}

/** Compiles a program of `drivers/`; gives where it stands. */
export async function bundleDriver(name, breakage) {
  const folder = await bundle({ [name]: `chaos/drivers/${name}.ts` }, breakage)
  return join(folder, `${name}.js`)
}

/** Into a folder inside the repository, where what is bundled finds its packages. */
async function bundle(entryPoints, breakage) {
  const scratch = join(ROOT, '.scratch')
  mkdirSync(scratch, { recursive: true })
  const outdir = mkdtempSync(join(scratch, 'chaos-'))
  leaveBehind(outdir)
  const broken = { is: breakage === undefined }
  await build({
    absWorkingDir: ROOT,
    entryPoints,
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['fs-native-extensions'],
    define: { __EQUABOT_VERSION__: '"0.0.0-chaos"' },
    banner: { js: REQUIRE },
    plugins: breakage ? [breaking(breakage, broken)] : [],
    logLevel: 'error',
  })
  if (!broken.is) throw new Error(`${breakage.file} takes no part: nothing was broken`)
  return outdir
}

function breaking({ file, from, to }, broken) {
  const path = join(ROOT, file)
  return {
    name: 'breaking',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, (asked) => {
        if (asked.path !== path) return undefined
        const source = readFileSync(path, 'utf8')
        if (!source.includes(from)) throw new Error(`${file} has no such text: ${from}`)
        broken.is = true
        return { contents: source.replace(from, () => to), loader: 'ts' }
      })
    },
  }
}
