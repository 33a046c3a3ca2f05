import * as z from 'zod/mini'
import { configError, placed } from '../checks/index.ts'
import type { SharedDataKeys } from '../data-keys/index.ts'
import { SHARED_OPTIONS } from '../data-keys/shared/defaults.ts'
import { sharedDataKeys, type SharedDataKeysOptions } from '../data-keys/shared/index.ts'
import { isKmsError } from '../errors.ts'
import type { KeyValueStore } from '../ports/index.ts'
import type { CheckedText, ConfigText, Plain, Resolved } from './references.ts'
import { flag, integer, type Shape, text } from './schemas.ts'

/** A store by the name of its binding: one of `bindings` of `createResilientKms` and `stackFromEnv`. */
export interface StoreBinding {
  readonly binding: string
}

interface Shared<S> extends Plain<
  SharedDataKeysOptions,
  'store' | 'partition' | 'storeAuthKey',
  S
> {
  readonly store: StoreBinding
  readonly partition: S
  /** Standard base64 of 32 random bytes or more. */
  readonly storeAuthKey?: S | undefined
}
/** Shared data keys of a checked configuration. */
export type CheckedShared = Shared<CheckedText>

/** Data keys that processes share, in a configuration: the options of `sharedDataKeys`, its store by name. */
export type SharedDataKeysConfig = Shared<ConfigText>

/** Stores by the names that a configuration uses. */
export type StoreBindings = Readonly<Record<string, KeyValueStore>>

/** Returns the schema of a store by name. */
export function storeBinding(): z.ZodMiniType<StoreBinding, StoreBinding> {
  const binding = z.string().check(z.minLength(1))
  return z.strictObject({ binding } satisfies Shape<StoreBinding>)
}

/** Returns the schema of shared data keys. */
export function sharedSchema(): z.ZodMiniType<CheckedShared, SharedDataKeysConfig> {
  const { leaseMs, waitMs, signalMs, storeTimeoutMs } = SHARED_OPTIONS
  return z.strictObject({
    store: storeBinding(),
    partition: text,
    storeAuthKey: z.optional(text),
    trustedStore: z.optional(flag),
    lease: z.optional(z.enum(['auto', 'required'])),
    leaseMs: integer(leaseMs.least, leaseMs.most),
    waitMs: integer(waitMs.least, waitMs.most),
    signalMs: integer(signalMs.least, signalMs.most),
    storeTimeoutMs: integer(storeTimeoutMs.least, storeTimeoutMs.most),
  } satisfies Shape<CheckedShared>)
}

/**
 * Returns the store that a configuration names.
 *
 * @param path - where the configuration names it
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function storeOf(
  { binding }: StoreBinding,
  bindings: StoreBindings | undefined,
  path: string,
): KeyValueStore {
  const store = Object.hasOwn(bindings ?? {}, binding) ? bindings?.[binding] : undefined
  if (store !== undefined) return store
  const names = Object.keys(bindings ?? {}).filter((name) => /^\w{1,64}$/.test(name))
  const known = names.length === 0 ? 'no store is bound' : `bound are ${names.join(', ')}`
  throw configError(`${path}.binding names a store that is not among bindings: ${known}`)
}

/**
 * Returns the shared level that a configuration describes.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function sharedOf(
  { store, ...options }: Resolved<CheckedShared>,
  bindings: StoreBindings | undefined,
): SharedDataKeys {
  const found = storeOf(store, bindings, 'shared.store')
  try {
    return sharedDataKeys({ ...options, store: found })
  } catch (error) {
    throw isKmsError(error, 'ERR_KMS_CONFIG') ? placed('shared', error) : error
  }
}
