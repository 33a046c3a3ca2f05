import { isPlain, optionError, wrongOption } from '../checks/index.ts'

/** Characters that may end a prefix. */
const DELIMITERS = ['/', ':', '.', '-', '_', '#', '|']

/** The demand on the value of one context key. */
export type ContextPattern =
  /** Exactly this value. */
  | { readonly exact: string }
  /** Any value that begins with this. It ends in one of `/ : . - _ # |`, so that `tenant-a/` does not allow `tenant-ab`. */
  | { readonly prefix: string }
  /** Any value. */
  | { readonly present: true }

/**
 * Returns the pattern of one context key.
 *
 * @param name - its path in the policy, for errors
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function parsePattern(name: string, value: unknown): ContextPattern {
  const entries = isPlain(value) ? Object.entries(value as Readonly<Record<string, unknown>>) : []
  const [kind, given] = entries[0] ?? []
  // A second field would be ignored, and one that is ignored may be the one that was meant.
  if (entries.length !== 1 || !['exact', 'prefix', 'present'].includes(kind as string)) {
    throw wrongOption(name, '{ exact: "…" }, { prefix: "…/" } or { present: true }')
  }
  if (kind === 'present') {
    if (given === true) return { present: true }
    throw wrongOption(`${name}.present`, 'true', given)
  }
  if (typeof given !== 'string') throw wrongOption(`${name}.${String(kind)}`, 'a string', given)
  return kind === 'exact' ? { exact: given } : { prefix: checkPrefix(`${name}.prefix`, given) }
}

function checkPrefix(name: string, prefix: string): string {
  const last = prefix.at(-1)
  if (last !== undefined && DELIMITERS.includes(last)) return prefix
  throw optionError(
    name,
    `must end in a delimiter (one of ${DELIMITERS.join(' ')}): it would match longer names`,
  )
}

/** Whether the value of a context key matches. */
export function matches(pattern: ContextPattern, value: string): boolean {
  if ('exact' in pattern) return value === pattern.exact
  return 'present' in pattern || value.startsWith(pattern.prefix)
}
