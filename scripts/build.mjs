/**
 * Bundles src/ into dist/, when something changed since the last time.
 *
 * `node scripts/build.mjs` also writes the type declarations; `npm start` and the tests do without them.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages, requireNode, ROOT } from './install.mjs'

const ENTRIES = {
  equabot: 'src/main.ts',
  renew: 'src/renew.ts',
  index: 'src/index.ts',
  testing: 'src/testing.ts',
}
const DIST = join(ROOT, 'dist')
const STAMP = join(ROOT, 'node_modules', '.cache', 'equabot', 'build.json')

/** Brings dist/ up to date. Throws, after printing why, when the sources do not build. */
export async function build({ types }) {
  const sources = hashOfSources()
  const last = readStamp()
  const isCurrent = last.sources === sources && last.files.every((file) => existsSync(file))
  if (isCurrent && (last.types || !types)) return

  const files = isCurrent ? last.files : await bundle()
  if (types) emitTypes()
  mkdirSync(dirname(STAMP), { recursive: true })
  writeFileSync(STAMP, JSON.stringify({ sources, types, files }))
}

async function bundle() {
  const { build: esbuild } = await import('esbuild')
  const entryPoints = Object.fromEntries(
    Object.entries(ENTRIES).filter(([, file]) => {
      const isThere = existsSync(join(ROOT, file))
      if (!isThere) console.error(`notice: ${file} does not exist yet; it is left out of dist/`)
      return isThere
    }),
  )
  const { version, dependencies } = readJson(join(ROOT, 'package.json'))
  const bundled = (entryPoints) =>
    esbuild({
      absWorkingDir: ROOT,
      entryPoints,
      outdir: DIST,
      chunkNames: 'chunks/[name]-[hash]',
      bundle: true,
      splitting: true,
      platform: 'node',
      target: 'node20.19',
      format: 'esm',
      // Names and lines stay, so that a stack trace can be read: dropping them made no start measurably quicker.
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: 'none',
      external: Object.keys(dependencies),
      define: { __EQUABOT_VERSION__: JSON.stringify(version) },
      // Bundled CommonJS packages ask for Node's own modules with `require`, which ESM does not have.
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
      metafile: true,
      write: false,
      logLevel: 'warning',
    })
  // Program, helper and library doors share no chunks: that would cut the program into more files to load.
  const { equabot, renew, ...doors } = entryPoints
  const results = await Promise.all([{ equabot }, { renew }, doors].map(bundled))
  const outputFiles = results.flatMap((result) => result.outputFiles)

  rmSync(DIST, { recursive: true, force: true })
  for (const { path, contents, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true })
    const isProgram = path === join(DIST, 'equabot.js')
    const lacksShebang = isProgram && !text.startsWith('#!')
    writeFileSync(path, lacksShebang ? `#!/usr/bin/env node\n${text}` : contents, {
      mode: isProgram ? 0o755 : 0o644,
    })
  }
  const notices = join(DIST, 'THIRD-PARTY-NOTICES.md')
  writeFileSync(
    notices,
    noticesOf(results.flatMap((result) => Object.keys(result.metafile.inputs))),
  )
  return [...outputFiles.map((file) => file.path), notices]
}

function emitTypes() {
  const doors = [ENTRIES.index, ENTRIES.testing]
  if (!doors.every((file) => existsSync(join(ROOT, file)))) {
    console.error('notice: the library doors do not exist yet; no type declarations are written')
    return
  }
  const tsc = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
    { cwd: ROOT, stdio: 'inherit' },
  )
  if (tsc.status !== 0) throw new Error('the type declarations could not be written')
  // tsc rewrites `.ts` in imports for JavaScript only; outside this repository there is no `.ts` to find.
  for (const file of filesUnder(join(DIST, 'types'))) {
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace(/(['"])(\.[^'"\n]*)\.ts\1/g, '$1$2.js$1'))
  }
}

/** The licences of the packages whose code stands in the bundle. */
function noticesOf(inputs) {
  const folders = new Set(
    inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []),
  )
  const chapters = [...folders].sort().map((folder) => {
    const { name, version, license } = readJson(join(ROOT, folder, 'package.json'))
    const file = readdirSync(join(ROOT, folder)).find((entry) =>
      /^(licen[cs]e|copying)/i.test(entry),
    )
    const text = file
      ? readFileSync(join(ROOT, folder, file), 'utf8').trim()
      : `Licence: ${license}`
    return `## ${name} ${version} (${license})\n\n\`\`\`\`text\n${text}\n\`\`\`\`\n`
  })
  return [
    '# Third-party notices\n',
    'Code of these packages is part of the files in this folder.\n',
    ...chapters,
  ].join('\n')
}

function hashOfSources() {
  const hash = createHash('sha256')
  const single = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']
  const files = [...single.map((file) => join(ROOT, file)), fileURLToPath(import.meta.url)]
  for (const file of [...files, ...filesUnder(join(ROOT, 'src'))]) {
    hash
      .update(`${relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update('\0')
  }
  return hash.digest('hex')
}

export function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

function readStamp() {
  return existsSync(STAMP) ? readJson(STAMP) : { sources: '', types: false, files: [] }
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  requireNode()
  installPackages()
  await build({ types: true })
}
