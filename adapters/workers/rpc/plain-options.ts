import { isPlain, plainOptions as demandPlain, refuseOthers } from '../../../src/checks/index.ts'
import { KmsError } from '../../../src/errors.ts'

/** The options that cross RPC, for each kind of call; `key` is the service's own. */
export const OPTIONS = {
  message: ['context', 'aad', 'form', 'kinds'],
  batch: ['kinds'],
  // The `aad` of the message may come along: a rewrap does not touch it.
  rewrap: ['context', 'aad', 'verify'],
  inspect: ['prefix'],
  encryptItem: ['context', 'aad', 'form', 'plaintext'],
  decryptItem: ['context', 'aad', 'envelope'],
} as const

/**
 * Returns the options of a call that may cross RPC, with maps that it can carry. Unknown options are
 * refused: a misspelt `context` or `aad` would bind nothing.
 *
 * @param known - the options that the service takes
 * @throws KmsError `ERR_KMS_CONFIG`, `ERR_CONTEXT_INVALID`
 */
export function plainOptions(options: object, known: readonly string[]): Record<string, unknown> {
  const given = demandPlain(options) as Readonly<Record<string, unknown>>
  refuseOthers(given, new Set(known))
  const plain: Record<string, unknown> = {}
  for (const name of known) {
    const value = given[name]
    if (value === undefined) continue
    plain[name] = name === 'context' || name === 'aad' ? plainMap(name, value) : value
  }
  return plain
}

/**
 * Returns a copy of a map of strings that has a prototype: RPC refuses an object without one, such as
 * `parseContextJson` returns, and carries a Map or a function that the service must not get.
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`
 */
export function plainMap(name: string, map: unknown): Record<string, string> {
  if (isPlain(map)) {
    const copy = { ...(map as Record<string, string>) }
    if (Object.values(copy).every((value: unknown) => typeof value === 'string')) return copy
  }
  const message = `the ${name} map must be a plain object of strings`
  throw new KmsError('ERR_CONTEXT_INVALID', { message })
}
