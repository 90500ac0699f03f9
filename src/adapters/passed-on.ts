/** Which variables of our environment other programs get. None of them holds a key or a token. */

/** How the network is reached. */
export const NETWORK: readonly string[] = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
]

/** Where files and logins lie, and how the network is reached. */
export const HOME_AND_NETWORK: readonly string[] = [
  'HOME',
  'USERPROFILE',
  'USER',
  'LOGNAME',
  'SystemRoot',
  'PATH',
  'CLAUDE_CONFIG_DIR',
  'CLAUDE_SECURESTORAGE_CONFIG_DIR',
  'CODEX_HOME',
  ...NETWORK,
]

/** Those of `names` that are set. */
export function passedOn(
  names: Iterable<string>,
  variables: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> {
  const wanted = new Set(names)
  return Object.fromEntries([...variables].filter(([name]) => wanted.has(name)))
}
