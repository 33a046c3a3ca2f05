import { Refusal } from './errors.ts'
import { newMaterial, type StoredKey } from './key-store.ts'
import { defaultKeyPolicy } from './key-policy.ts'
import type { FakeAwsKeyOptions } from './options.ts'
import { kmsArn } from './place.ts'
import { hex, randomBytes } from './primitives.ts'

/** Which usages a key spec has: API_CreateKey, KeyUsage. */
const SPECS: ReadonlyMap<string, readonly string[]> = new Map([
  ['SYMMETRIC_DEFAULT', ['ENCRYPT_DECRYPT']],
  ['RSA_2048', ['ENCRYPT_DECRYPT', 'SIGN_VERIFY']],
  ['RSA_3072', ['ENCRYPT_DECRYPT', 'SIGN_VERIFY']],
  ['RSA_4096', ['ENCRYPT_DECRYPT', 'SIGN_VERIFY']],
  ['ECC_NIST_P256', ['SIGN_VERIFY', 'KEY_AGREEMENT']],
  ['ECC_NIST_P384', ['SIGN_VERIFY', 'KEY_AGREEMENT']],
  ['ECC_NIST_P521', ['SIGN_VERIFY', 'KEY_AGREEMENT']],
  ['ECC_SECG_P256K1', ['SIGN_VERIFY']],
  ['HMAC_224', ['GENERATE_VERIFY_MAC']],
  ['HMAC_256', ['GENERATE_VERIFY_MAC']],
  ['HMAC_384', ['GENERATE_VERIFY_MAC']],
  ['HMAC_512', ['GENERATE_VERIFY_MAC']],
])

/** A key to make, with what its caller and the clock say. */
export interface NewKey extends Omit<FakeAwsKeyOptions, 'alias'> {
  readonly region: string
  readonly accountId: string
  readonly nowMs: number
  readonly origin?: string
  readonly policy?: string | undefined
  readonly tags?: Map<string, string>
}

/**
 * A new key. Only keys for symmetric encryption have material: the others exist to be refused.
 *
 * @throws Refusal `validation`
 */
export function createStoredKey(options: NewKey): StoredKey {
  const { region, accountId, keySpec: spec = 'SYMMETRIC_DEFAULT', origin = 'AWS_KMS' } = options
  const usages = SPECS.get(spec)
  if (usages === undefined) throw new Refusal('validation', `Unknown KeySpec: ${spec}`)
  const usage = options.keyUsage ?? (spec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : undefined)
  if (usage === undefined) {
    // recorded: test_hmac_create_key_invalid_operations
    throw new Refusal(
      'validation',
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    )
  }
  if (!usages.includes(usage)) {
    throw new Refusal('validation', `KeyUsage ${usage} is not compatible with KeySpec ${spec}`)
  }
  const keyId = newKeyId(options.multiRegion ?? false)
  const hasMaterial = spec === 'SYMMETRIC_DEFAULT' && origin === 'AWS_KMS'
  return {
    region,
    accountId,
    arn: kmsArn({ region, accountId, resource: `key/${keyId}` }),
    spec,
    usage,
    origin,
    createdAtMs: options.nowMs,
    sharedWith: options.sharedWith ?? [],
    tags: options.tags ?? new Map<string, string>(),
    description: options.description ?? '',
    policy: options.policy ?? defaultKeyPolicy({ region, accountId }),
    set: { keyId, materials: hasMaterial ? [newMaterial()] : [], onDemandRotations: 0 },
    state: origin === 'EXTERNAL' ? 'PendingImport' : 'Enabled',
    ...(options.multiRegion === true && { multiRegion: 'PRIMARY' }),
  }
}

/** Developer Guide, Key identifiers: a UUID, or `mrk-` and 32 hex digits. */
function newKeyId(multiRegion: boolean): string {
  return multiRegion ? `mrk-${hex(randomBytes(16))}` : crypto.randomUUID()
}
