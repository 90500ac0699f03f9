/** What the sandbox answers: always the same to the same words, and always saying what it is. */

const WHO = "This is Equabot's sandbox, not a real model."
/** Longest piece of a message that is said back, characters. */
const LONGEST_ECHO = 2_000
const HIGHEST_COUNT = 200

interface ReplyRule {
  readonly asks: RegExp
  readonly reply: (match: RegExpExecArray) => string
}

const RULES: readonly ReplyRule[] = [
  {
    asks: /^\W*(?:help|what can you do)\W*$/i,
    reply: () =>
      `${WHO} It answers without a network and costs nothing. Try:

- \`count to 10\`: a reply that streams word by word
- \`a markdown table\` or \`a code block\`: how your client shows them
- anything else: it is said back, and its words are counted

To rehearse trouble, give it one of its keys: \`equabot sandbox keys\` lists them.
For a real model: \`equabot models auth paste-token --provider anthropic\`.`,
  },
  {
    asks: /\bcount to (\d{1,9})\b/i,
    reply: (match) => {
      const last = Math.min(Number(match[1]), HIGHEST_COUNT)
      const numbers = Array.from({ length: last }, (_, index) => String(index + 1)).join(' ')
      const rest = Number(match[1]) > last ? ` It stops at ${HIGHEST_COUNT}.` : ''
      return `${WHO} It counts: ${numbers || 'nothing'}.${rest}`
    },
  },
  {
    asks: /\bmarkdown table\b/i,
    reply: () => `${WHO} A table:

| key | status |
| --- | ---: |
| sandbox-ok | 200 |
| sandbox-401 | 401 |
| sandbox-529 | 529 |`,
  },
  {
    asks: /\bcode block\b/i,
    reply: () => `${WHO} Some code:

\`\`\`js
for (let n = 1; n <= 3; n += 1) console.log(n)
\`\`\``,
  },
]

/** The reply to a message. */
export function sandboxReply(message: string): string {
  for (const rule of RULES) {
    const match = rule.asks.exec(message)
    if (match) return rule.reply(match)
  }
  return echo(message.trim())
}

/** A reply in the pieces that it streams in, a word each; they join to the whole. One piece counts as one token. */
export function pieces(text: string): readonly string[] {
  if (text.trim() === '') return []
  return text.match(/\s*\S+(?:\s+$)?/g) ?? []
}

function echo(message: string): string {
  if (message === '') return `${WHO} Your message was empty. Say "help" to see what it can do.`
  const characters = [...message]
  const said = characters.slice(0, LONGEST_ECHO).join('')
  const cut = characters.length > LONGEST_ECHO ? '…' : ''
  const counts = `${counted(pieces(message).length, 'word')}, ${counted(characters.length, 'character')}`
  return `${WHO} You said: "${said}${cut}" (${counts}).`
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}
