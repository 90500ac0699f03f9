import { build } from './build.mjs'

/** Brings dist/ up to date before the scenarios that run it; other tests do not wait for a build. */
export async function setup() {
  await build({ types: false })
}
