import {
  type Bytes,
  decodeBase64,
  decodeUtf8,
  isWellFormed,
  utf8Length,
} from '../../../src/bytes/index.ts'
import { Refusal } from './errors.ts'

/** Rules for a text. */
export interface TextRules {
  readonly required?: boolean
  readonly min?: number
  readonly max?: number
  readonly pattern?: RegExp
  readonly values?: readonly string[]
}

type Context = Readonly<Record<string, string>>

/** AWS states no limit by itself; what its parsers let pass is 8 KiB in all (not documented). */
const MAX_CONTEXT_BYTES = 8_192

/**
 * The JSON input of an operation. Members of another type are a serialization error, members out of
 * bounds a validation error; neither ever says the value, which may be a plaintext.
 */
export class KmsInput {
  readonly #members: Readonly<Record<string, unknown>>

  /** @throws Refusal `serialization` for a value that is not a JSON object */
  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Refusal('serialization')
    }
    this.#members = value as Readonly<Record<string, unknown>>
  }

  /** @throws Refusal `serialization` */
  static parse(body: Bytes): KmsInput {
    const text = decodeUtf8(body)
    try {
      return new KmsInput(text === undefined ? undefined : JSON.parse(text === '' ? '{}' : text))
    } catch {
      throw new Refusal('serialization')
    }
  }

  /** A text that must be there. */
  text(name: string, rules: TextRules = {}): string {
    return this.optionalText(name, { ...rules, required: true }) ?? ''
  }

  optionalText(name: string, rules: TextRules = {}): string | undefined {
    const value = this.#member(name, rules.required ?? false)
    if (value === undefined) return undefined
    if (typeof value !== 'string') throw new Refusal('serialization')
    checkText(name, value, rules)
    return value
  }

  /** Base64 of so many bytes, `undefined` where it is absent. */
  optionalBytes(name: string, { max }: { readonly max: number }): Bytes | undefined {
    const value = this.#member(name, false)
    if (value === undefined) return undefined
    const bytes = typeof value === 'string' ? decodeBase64(value) : undefined
    if (bytes === undefined) throw new Refusal('serialization')
    if (bytes.length < 1) throw broken(name, 'Member must have length greater than or equal to 1')
    if (bytes.length > max)
      throw broken(name, `Member must have length less than or equal to ${max}`)
    return bytes
  }

  bytes(name: string, rules: { readonly max: number }): Bytes {
    const bytes = this.optionalBytes(name, rules)
    if (bytes === undefined) throw absent(name)
    return bytes
  }

  /** An integer that must be there. */
  integer(name: string, range: { readonly min: number; readonly max: number }): number {
    const value = this.optionalInteger(name, range)
    if (value === undefined) throw absent(name)
    return value
  }

  optionalInteger(name: string, { min, max }: { min: number; max: number }): number | undefined {
    const value = this.#member(name, false)
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !Number.isInteger(value)) throw new Refusal('serialization')
    if (value < min) throw broken(name, `Member must have value greater than or equal to ${min}`)
    if (value > max) throw broken(name, `Member must have value less than or equal to ${max}`)
    return value
  }

  flag(name: string): boolean {
    const value = this.#member(name, false) ?? false
    if (typeof value !== 'boolean') throw new Refusal('serialization')
    return value
  }

  /** A list of texts, of at least 1 character unless `min` says otherwise; empty where it is absent. */
  texts(
    name: string,
    { maxItems, ...rules }: TextRules & { readonly maxItems?: number },
  ): string[] {
    return this.#list(name, rules.required ?? false, maxItems).map((item) => {
      if (typeof item !== 'string') throw new Refusal('serialization')
      checkText(name, item, { min: 1, ...rules })
      return item
    })
  }

  /** A structure, `undefined` where it is absent. */
  structure(name: string): KmsInput | undefined {
    const value = this.#member(name, false)
    return value === undefined ? undefined : new KmsInput(value)
  }

  /** A list of structures; empty where it is absent and need not be there. */
  structures(name: string, { required = false }: { readonly required?: boolean } = {}): KmsInput[] {
    return this.#list(name, required).map((item) => new KmsInput(item))
  }

  /** An encryption context; an absent one is the empty one. */
  context(name: string): Context {
    const value = this.#member(name, false) ?? {}
    if (typeof value !== 'object' || Array.isArray(value)) throw new Refusal('serialization')
    let bytes = 0
    const context: Record<string, string> = Object.create(null) as Record<string, string>
    for (const [key, text] of Object.entries(value)) {
      if (typeof text !== 'string') throw new Refusal('serialization')
      // UTF-8 has no form for half a character: two contexts must not become one.
      if (!isWellFormed(key) || !isWellFormed(text)) throw new Refusal('serialization')
      bytes += utf8Length(key) + utf8Length(text)
      context[key] = text
    }
    if (bytes > MAX_CONTEXT_BYTES) {
      throw broken(name, `Member must have length less than or equal to ${MAX_CONTEXT_BYTES}`)
    }
    return context
  }

  #list(name: string, required: boolean, maxItems = Infinity): readonly unknown[] {
    const value = this.#member(name, required) ?? []
    if (!Array.isArray(value)) throw new Refusal('serialization')
    if (value.length > maxItems) {
      throw broken(name, `Member must have length less than or equal to ${maxItems}`)
    }
    return value
  }

  #member(name: string, required: boolean): unknown {
    const value = Object.hasOwn(this.#members, name) ? this.#members[name] : undefined
    if (value !== undefined && value !== null) return value
    if (required) throw absent(name)
    return undefined
  }
}

/** A member that must be there is absent. */
function absent(name: string): Refusal {
  return broken(name, 'Member must not be null')
}

function checkText(name: string, value: string, { min, max, pattern, values }: TextRules): void {
  if (min !== undefined && value.length < min) {
    throw broken(name, `Member must have length greater than or equal to ${min}`)
  }
  if (max !== undefined && value.length > max) {
    throw broken(name, `Member must have length less than or equal to ${max}`)
  }
  if (pattern?.test(value) === false) {
    throw broken(name, `Member must satisfy regular expression pattern: ${pattern.source}`)
  }
  if (values?.includes(value) === false) {
    throw broken(name, `Member must satisfy enum value set: [${values.join(', ')}]`)
  }
}

/** AWS's own sentence (recorded: test_plaintext_size_for_encrypt). */
function broken(name: string, constraint: string): Refusal {
  const member = name.charAt(0).toLowerCase() + name.slice(1)
  return new Refusal(
    'validation',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`,
  )
}
