/** Which addresses a provider may have: a credential travels to them, so not every URL will do. */

/** Why a URL cannot be a provider's address, completing a sentence; undefined when it can. */
export function urlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return 'must be a URL that begins with https://'
  }
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or a password'
  if (url.search !== '' || url.hash !== '') return 'must not hold a query or a fragment'
  if (url.protocol === 'http:' && !isNearby(url.hostname)) {
    return 'must be https (a key would travel in the clear)'
  }
  return undefined
}

/** Whether a host is this machine or on a network of the user's own. `host` is as `URL` writes it. */
function isNearby(host: string): boolean {
  if (host.startsWith('[')) return isNearbyV6(host.slice(1, -1))
  const octets = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(host)
  if (octets) return isNearbyV4(Number(octets[1]), Number(octets[2]))
  return !host.includes('.') || host.endsWith('.local') || host.endsWith('.localhost')
}

/** @source RFC 1918 (private), RFC 3927 (link-local), RFC 1122 3.2.1.3 (loopback) */
function isNearbyV4(first: number, second: number): boolean {
  return (
    first === 127 ||
    first === 10 ||
    (first === 192 && second === 168) ||
    (first === 172 && second >= 16 && second <= 31) ||
    (first === 169 && second === 254)
  )
}

/** @source RFC 4193 (fc00::/7), RFC 4291 2.5.3 and 2.5.6 (::1, fe80::/10); a mapped IPv4 address counts as itself */
function isNearbyV6(host: string): boolean {
  const mapped = /^::ffff:([0-9a-f]{1,4}):[0-9a-f]{1,4}$/.exec(host)
  if (mapped) {
    const high = Number.parseInt(mapped[1] ?? '', 16)
    return isNearbyV4(high >> 8, high & 0xff)
  }
  return host === '::1' || /^f[cd][0-9a-f]{2}:/.test(host) || /^fe[89ab][0-9a-f]:/.test(host)
}
