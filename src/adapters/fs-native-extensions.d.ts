/** The part of the package that `lock.ts` uses; it brings no types of its own. */
declare module 'fs-native-extensions' {
  const addon: {
    /** Whether the whole file is locked now; false when another open file holds it. The lock ends with the descriptor. */
    tryLock(fd: number, options?: { readonly shared?: boolean }): boolean
  }
  export default addon
}
