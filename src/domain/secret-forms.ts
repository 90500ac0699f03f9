/** What looks like a secret in text from anywhere: a provider's words, a mistyped command. Such text is masked before it is shown. */

/** Beginnings and forms that secrets of known makers have, and long runs that only a secret or an id would have. */
const SECRETS: readonly RegExp[] = [
  /\b(?:sk|pk|rk|eqb|gsk|xai|xox[a-z]|ghp|gho|ghs|glpat|hf|r8|pplx|csk|nvapi)[-_][\w*.…-]{6,}/gi,
  /\bAIza[\w-]{10,}/g,
  /\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g,
  /(?<=\bbearer\s+)[^\s"',;]{6,}/gi,
  /\b\w+\*{3,}\w*/g,
  /\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{40,}/g,
]

/** Marks in the place of a masked secret. */
const MASK = '[secret]'

export function maskSecrets(text: string): string {
  return SECRETS.reduce((words, secret) => words.replace(secret, MASK), text)
}
