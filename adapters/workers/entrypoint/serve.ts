import { configError } from '../../../src/checks/index.ts'
import { isKmsError, type KmsResult } from '../../../src/errors.ts'
import type { DecryptOptions, EncryptOptions, RewrapOptions } from '../../../src/index.ts'
import {
  demandAllowed,
  demandKeyAllowed,
  parsePolicy,
  type Policy,
  type PolicyOperation,
} from '../../../src/policy/index.ts'
import { OPTIONS, plainOptions } from '../rpc/plain-options.ts'
import { type Ciphers, cipherNamed, readyCiphers, type ServiceCipher } from './ready-ciphers.ts'

/** The entrypoint that a call came in by. */
export interface Host {
  /** Its class. */
  readonly owner: object
  /** `ctx.props`: the permissions of the binding that calls. */
  readonly props: unknown
  readonly createCiphers: () => Ciphers | Promise<Ciphers>
  /** Keeps work alive after the answer. */
  readonly defer: (work: Promise<unknown>) => void
}

type Context = Record<string, string> | undefined

/** The subject of a call. */
export interface ServiceCall {
  readonly operation: PolicyOperation
  readonly kind: Exclude<keyof typeof OPTIONS, 'encryptItem' | 'decryptItem'>
  /** As the caller gave them: not trusted. */
  readonly options: object | undefined
}

/** The cipher that a caller may use. */
export interface Permitted {
  readonly cipher: ServiceCipher
  readonly policy: Policy | undefined
  readonly key: string
  /** The caller's options, with `defer`. */
  readonly options: DecryptOptions & EncryptOptions & RewrapOptions & { readonly prefix?: boolean }
}

/**
 * Runs the work of a call if the policy of the binding allows it. Returns a result: RPC loses error classes.
 *
 * Nothing runs before the permission is checked, not even `createCiphers`.
 *
 * @throws TypeError for a wrong argument, without a stack or a cause; Error for a fault of the service,
 * without its message
 */
export async function serve<T>(
  host: Host,
  call: ServiceCall,
  work: (permitted: Permitted) => T | Promise<T>,
): Promise<KmsResult<T>> {
  try {
    return { ok: true, value: await work(await permitted(host, call)) }
  } catch (error) {
    if (isKmsError(error)) return { ok: false, error: error.toJSON() }
    if (error instanceof TypeError) throw new TypeError(error.message)
    throw new Error('the cipher service failed: see its own log')
  }
}

async function permitted(
  { props, owner, createCiphers, defer }: Host,
  { operation, kind, options: given = {} }: ServiceCall,
): Promise<Permitted> {
  const { key = 'default', ...options } = plainOptions(given, [...OPTIONS[kind], 'key'])
  if (typeof key !== 'string') throw configError('key must be the name of a cipher')
  const policy = policyOf(props)
  if (kind === 'batch') demandKeyAllowed(policy, { operation, key })
  else demandAllowed(policy, { operation, key, context: options['context'] as Context })
  const cipher = cipherNamed(await readyCiphers(owner, createCiphers), key)
  return { cipher, policy, key, options: { ...options, defer } }
}

/**
 * Returns the policy that the props of a binding hold; `undefined` where they hold none.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
function policyOf(props: unknown): Policy | undefined {
  const { policy } = Object(props) as { readonly policy?: unknown }
  return policy === undefined ? undefined : parsePolicy(policy)
}
