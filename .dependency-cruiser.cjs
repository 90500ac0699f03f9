/** The floors of docs/architecture.md as rules; scripts/floors.mjs applies them to src/. */

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

/** Files of `floor` import no other folder of src/ than those in `allowed`. */
const floor = (name, allowed) =>
  forbid(
    `floor-${name}`,
    `${name} imports only: ${[name, ...allowed].join(', ')}`,
    { path: `^src/${name}/` },
    { path: '^src/', pathNot: `^src/(${[name, ...allowed].join('|')}|version\\.js$)(/|$)?` },
  )

const DOORS = '^src/(main|renew|index|testing|compose|compose-[a-z]+|version)\\.js$'

const floors = {
  forbidden: [
    floor('domain', []),
    floor('wire', ['domain']),
    floor('services', ['domain']),
    floor('adapters', ['domain', 'wire']),
    floor('cli', ['domain', 'wire', 'services']),
    floor('gateway', ['domain', 'wire', 'services']),
    forbid(
      'one-composer',
      'Only compose.ts and its parts know both what the services need and which adapters there are',
      { path: '^src/(main|index)\\.js$' },
      { path: '^src/adapters/' },
    ),
    forbid(
      'pure-rooms-own-no-effects',
      'domain, wire and services get clock, disk, network and timers as ports; only calculations are theirs',
      { path: '^src/(domain|wire|services)/' },
      { dependencyTypes: ['core'], pathNot: '^(node:)?(buffer|crypto|util|zlib)$' },
    ),
    forbid(
      'domain-owns-no-packages',
      'domain and services are plain TypeScript; a package belongs to wire, an adapter or a face',
      { path: '^src/(domain|services)/' },
      { path: 'node_modules' },
    ),
    forbid(
      'faces-own-no-disk-or-client',
      'a face reaches disk, network and other programs through a service or a port',
      { path: '^src/(cli|gateway)/' },
      {
        dependencyTypes: ['core'],
        path: '^(node:)?(fs|fs/promises|child_process|net|dns|tls|https)$',
      },
    ),
    forbid(
      'no-orphans',
      'a file that nothing imports is dead',
      { orphan: true, pathNot: DOORS },
      {},
    ),
    forbid(
      'not-unresolvable',
      'an import must lead somewhere; Node 20 lacks the database that newer ones have',
      {},
      { couldNotResolve: true, pathNot: '^node:sqlite$' },
    ),
  ],
}

const circles = {
  forbidden: [
    forbid('no-circles', 'two files that need each other are one', {}, { circular: true }),
  ],
}

module.exports = { floors, circles }
