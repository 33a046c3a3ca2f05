import { configError, isPlain, optionError, refuseOthers, wrongOption } from '../checks/index.ts'
import { type ContextPattern, parsePattern } from './context-pattern.ts'

/** Every operation that a policy can allow. */
export const POLICY_OPERATIONS = ['encrypt', 'decrypt', 'rewrap', 'inspect'] as const

/** An operation that a policy can allow. Batches, text and streams count as what they do. */
export type PolicyOperation = (typeof POLICY_OPERATIONS)[number]

/** A policy as it is written: plain JSON. All three fields are required. */
export interface PolicyConfig {
  /** The operations that are allowed; at least one. */
  readonly operations: readonly PolicyOperation[]
  /** The names of the ciphers that may be used, exactly; at least one. */
  readonly keys: readonly string[]
  /**
   * One pattern for each context key. A call must have exactly these keys, so `{}` allows only calls
   * without a context. `inspect` takes no context and is not checked.
   */
  readonly context: Readonly<Record<string, ContextPattern>>
}

/** A policy that was checked: the result of {@link parsePolicy}. */
export interface Policy {
  readonly operations: ReadonlySet<PolicyOperation>
  readonly keys: ReadonlySet<string>
  readonly context: ReadonlyMap<string, ContextPattern>
}

/**
 * Returns the policy that plain data describes. It fails closed: a field that is missing, unknown or wrong is an
 * error, and never a permission.
 *
 * @param value - a {@link PolicyConfig}, as it comes from a configuration; it is not trusted
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { allows, parsePolicy } from 'edge-kms/workers'
 *
 * const policy = parsePolicy({
 *   operations: ['encrypt', 'decrypt'],
 *   keys: ['default'],
 *   context: { tenant: { prefix: 'tenant-a/' }, table: { exact: 'cards' } },
 * })
 * const context = { tenant: 'tenant-a/eu', table: 'cards' }
 * console.log(allows(policy, { operation: 'decrypt', key: 'default', context }).allowed) // true
 * ```
 */
export function parsePolicy(value: unknown): Policy {
  if (!isPlain(value)) throw wrongOption('policy', 'a plain object', value)
  const { operations, keys, context, ...others } = value as Partial<PolicyConfig>
  refuseOthers(under('policy', others))
  return {
    operations: new Set(entriesOf('policy.operations', operations).map(operationOf)),
    keys: new Set(entriesOf('policy.keys', keys).map(nameOf)),
    context: patternsOf(context),
  }
}

/** Names with the place that errors show. */
function under(place: string, fields: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [`${place}.${name}`, value ?? null]),
  )
}

function entriesOf(name: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw wrongOption(name, 'an array of strings', value)
  if (value.length === 0) throw optionError(name, 'must name at least one: it would allow nothing')
  return Array.from(value as readonly unknown[]) // a hole is an entry, too
}

function operationOf(value: unknown, i: number): PolicyOperation {
  const known = POLICY_OPERATIONS.find((operation) => operation === value)
  if (known !== undefined) return known
  const place = `policy.operations[${String(i)}]`
  throw wrongOption(place, POLICY_OPERATIONS.join(' or '), value)
}

function nameOf(value: unknown, i: number): string {
  if (typeof value === 'string' && value !== '') return value
  throw wrongOption(`policy.keys[${String(i)}]`, 'the name of a cipher', value)
}

function patternsOf(value: unknown): ReadonlyMap<string, ContextPattern> {
  if (!isPlain(value)) {
    throw wrongOption('policy.context', 'an object with a pattern for each context key', value)
  }
  const entries = Object.entries(value as Readonly<Record<string, unknown>>)
  if (entries.some(([key]) => key === '')) {
    throw configError('policy.context must have no empty context key')
  }
  return new Map(entries.map(([key, one]) => [key, parsePattern(`policy.context.${key}`, one)]))
}
