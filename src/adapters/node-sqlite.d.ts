/** Node's own database, which the types of Node 20 do not know; the package has its interface. */
declare module 'node:sqlite' {
  export { DatabaseSync } from '@photostructure/sqlite'
}
