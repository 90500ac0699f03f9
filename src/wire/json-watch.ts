/** Watches a JSON object go by and keeps the text of a few of its own members; the rest is only counted through. */

export interface MemberWatch {
  push(text: string): void
  /** The text of the member's value; undefined when it has not come whole, or is too long. */
  member(name: string): string | undefined
  /** Whether the object has ended. */
  isComplete(): boolean
}

/**
 * @param names members of the outermost object
 * @param longest value that is kept, UTF-16 units
 */
export function createMemberWatch(names: readonly string[], longest: number): MemberWatch {
  const kept = new Map<string, string>()
  const longestName = Math.max(...names.map((name) => name.length)) + 2
  let depth = 0
  let inString = false
  let escaped = false
  let complete = false
  /** Of the outermost object: the last text that may be a name, and the value being taken down. */
  let word = ''
  let isName = true
  let taking: { readonly name: string; text: string } | undefined

  function keep(): void {
    if (taking && taking.text.length <= longest) kept.set(taking.name, taking.text.trim())
    taking = undefined
  }

  function structural(character: string): void {
    if (character === '{' || character === '[') depth += 1
    if (character === '}' || character === ']') depth -= 1
    if (depth === 0) {
      keep()
      complete ||= character === '}' || character === ']'
      return
    }
    if (depth !== 1) return
    if (character === ',') {
      keep()
      isName = true
      word = ''
    } else if (character === ':' && isName) {
      isName = false
      const name = word.slice(1, -1)
      if (names.includes(name)) taking = { name, text: '' }
    }
  }

  function see(character: string): void {
    const before = taking
    if (inString) {
      if (escaped) escaped = false
      else if (character === '\\') escaped = true
      else if (character === '"') inString = false
    } else if (character === '"') {
      inString = true
      if (depth === 1 && isName) word = ''
    } else if (!complete && '{}[],:'.includes(character)) {
      structural(character)
    }
    if (taking && taking === before && taking.text.length <= longest) taking.text += character
    if (depth === 1 && isName && word.length < longestName && isWordPart(character)) {
      word += character
    }
  }

  return {
    push(text) {
      for (let at = 0; at < text.length; at += 1) {
        const isOfNoInterest = inString && !escaped && !taking && !(depth === 1 && isName)
        if (isOfNoInterest) at = nextMark(text, at)
        see(text.charAt(at))
      }
    },
    member: (name) => kept.get(name),
    isComplete: () => complete,
  }
}

/** Where a text may end or escape something; the end of what has come so far where it does neither. */
function nextMark(text: string, from: number): number {
  MARK.lastIndex = from
  return MARK.exec(text)?.index ?? text.length
}

const MARK = /["\\]/g

function isWordPart(character: string): boolean {
  return !'{,: \t\r\n'.includes(character)
}
