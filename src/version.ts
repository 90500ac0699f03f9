declare const __EQUABOT_VERSION__: string

/** Equabot's own version, as `package.json` had it when this was built. */
export const VERSION: string = __EQUABOT_VERSION__
