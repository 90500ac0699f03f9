/** Where a caller comes from, in a form in which it counts as one. */

/**
 * An IPv4 address in the coat of IPv6 is the same caller. Of IPv6 a caller has 2^64 addresses, all of one network.
 *
 * @param address as the socket has it; undefined when it is closed already
 */
export function countedAddress(address: string | undefined): string {
  if (address === undefined) return 'gone'
  const lower = address.toLowerCase()
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(lower)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!lower.includes(':') || lower === '::1') return lower
  return `${groupsOf(lower).slice(0, 4).join(':')}::/64`
}

export function isLoopback(counted: string): boolean {
  return counted === '::1' || counted.startsWith('127.')
}

function groupsOf(address: string): readonly string[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const before = head === '' ? [] : head.split(':')
  if (tail === undefined) return before
  const after = tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  return [...before, ...zeros, ...after]
}
