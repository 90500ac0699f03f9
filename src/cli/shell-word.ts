/** A word for bash, zsh and fish: they all end a single-quoted text at the quote and take an escaped one outside. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
