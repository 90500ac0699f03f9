/** How a reply broke off, in words: the code of a connection's error says something to programmers only. */

const RULES: readonly { readonly codes: RegExp; readonly words: string }[] = [
  {
    codes: /^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET|ERR_STREAM_PREMATURE_CLOSE)$/,
    words: 'the provider closed the connection before the end',
  },
  { codes: /^(?:UND_ERR_BODY_TIMEOUT|ETIMEDOUT)$/, words: 'nothing more came for too long' },
  {
    codes: /^(?:HPE_|UND_ERR_RES)/,
    words: 'what came was not HTTP any more',
  },
  { codes: /^Z_|^ERR__?ZLIB|^ERR_BROTLI/, words: 'what came could not be unpacked' },
]

/** @param code of the connection's error, whose message may quote what was sent; undefined when it bears none */
export function brokenOffWords(code: string | undefined): string {
  const known = RULES.find(({ codes }) => code !== undefined && codes.test(code))
  if (known) return known.words
  return code === undefined ? 'the connection was lost' : `the connection was lost (${code})`
}
