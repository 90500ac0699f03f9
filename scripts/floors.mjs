/**
 * Holds the imports of src/ against the floors in .dependency-cruiser.cjs.
 *
 * dependency-cruiser cannot read TypeScript 7, so it is shown two JavaScript shadows of src/: `values` has
 * the imports that exist at run time, `types` those and the type-only ones. Floors and orphans are judged
 * with types, because a type from a higher floor couples as well; circles only on values, because two files
 * may well describe each other.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cruise } from 'dependency-cruiser'
import { transformSync } from 'esbuild'
import rules from '../.dependency-cruiser.cjs'
import { filesUnder } from './build.mjs'
import { ROOT } from './install.mjs'

/** @returns how many rules are broken; each one has been printed */
async function checkFloors() {
  const files = filesUnder(join(ROOT, 'src'))
    .map((file) => relative(ROOT, file))
    .filter((file) => !file.endsWith('.d.ts'))
  const broken = [
    ...bannedText(files),
    ...(await cruiseShadow('types', files, rules.floors)),
    ...(await cruiseShadow('values', files, rules.circles)),
  ]
  for (const line of broken) console.error(line)
  console.log(`${files.length} files, ${broken.length} broken rules`)
  return broken.length
}

/** What neither dependency-cruiser nor a lint rule can see. */
const BANNED = [
  { name: 'no-export-star', pattern: /^export \*/m },
  { name: 'clock-in-one-place', pattern: /\bnew Date\(\)/, except: 'src/adapters/clock.ts' },
]

function bannedText(files) {
  return files.flatMap((file) => {
    const source = readFileSync(join(ROOT, file), 'utf8')
    return BANNED.filter(({ pattern, except }) => file !== except && pattern.test(source)).map(
      ({ name }) => `error ${name}: ${file}`,
    )
  })
}

async function cruiseShadow(name, files, ruleSet) {
  const shadow = join(ROOT, '.scratch', 'floors', name)
  rmSync(shadow, { recursive: true, force: true })
  for (const file of files) {
    const target = join(shadow, file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    const source = readFileSync(join(ROOT, file), 'utf8')
    writeFileSync(target, file.endsWith('.ts') ? shadowOf(source, name === 'types') : source)
  }
  const { output } = await cruise(['src'], {
    baseDir: shadow,
    ruleSet,
    validate: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node'] },
  })
  return output.summary.violations.map(({ rule, from, to, cycle }) => {
    const path = cycle ? cycle.map((step) => step.name).join(' -> ') : to
    const target = path === from ? '' : ` -> ${path}`
    return `${rule.severity} ${rule.name}: ${from}${target}`.replaceAll(/\.js\b/g, '.ts')
  })
}

function shadowOf(source, keepsTypes) {
  const typeImports = /^(?:(import) type (?=[{*\w])|(export) type (?=[{*]))/gm
  const inlineTypes = /(?<=^(?:import|export) \{[^}]*?)\btype (?=\w)/gm
  const kept = keepsTypes ? source.replace(typeImports, '$1$2 ').replace(inlineTypes, '') : source
  const { code } = transformSync(kept, {
    loader: 'ts',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  })
  return code.replace(/(['"])(\.[^'"\n]*)\.ts\1/g, '$1$2.js$1')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = (await checkFloors()) === 0 ? 0 : 1
}
