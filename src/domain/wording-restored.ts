/** What is missing after a book's last good copy was put back, in words. */

/** @param lost what can be read of the damaged file that the copy does not hold */
export function lostWords(lost: readonly string[]): string {
  return lost.length === 0
    ? 'What was added after that copy was made is gone from the book'
    : `Gone from the book, as that copy does not hold ${lost.length === 1 ? 'it' : 'them'}: ${lost.join(', ')}. What else was added or changed after it was made is gone too`
}
