/** Where a gateway listens, and how this machine reaches it there. */

export const HIGHEST_PORT = 65_535

/** What a user typed as a port; 0 means any free one. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  return port <= HIGHEST_PORT ? port : undefined
}

/** Whether an address means all of this machine's addresses: it is no name to be called by. */
export function isWildcard(bind: string): boolean {
  return bind === '' || bind === '0.0.0.0' || bind === '::'
}

/** Where this machine reaches a gateway, whatever it is bound to. */
export function gatewayUrl(record: { readonly bind: string; readonly port: number }): string {
  return `http://${reachableHost(record.bind)}:${record.port}`
}

/** An address as it stands in a URL and in a Host header. */
export function hostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** All addresses are reached over loopback, in the family that is surely listened on. */
function reachableHost(bind: string): string {
  if (!isWildcard(bind)) return hostOf(bind)
  return bind === '::' ? '[::1]' : '127.0.0.1'
}
