/** A credential value that no serialisation can show. `reveal()` is the only way out, so it can be searched for. */

const MASK = '[secret]'

export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The text itself. Call it only where it becomes a header, a file in its home, or a digest. */
  reveal(): string {
    return this.#value
  }

  equals(other: Secret): boolean {
    return this.#value === other.#value
  }

  get length(): number {
    return this.#value.length
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }
}

Object.defineProperty(Secret.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value: () => MASK,
})
