import type { Bytes } from '../../../src/bytes/index.ts'
import { type Blob, openBlob, parseBlob, sealBlob } from './ciphertext.ts'
import { Refusal } from './errors.ts'
import { currentMaterial, type KeyMaterial, materialKey, type StoredKey } from './key-store.ts'
import { contextEncoding, demandEnabled, type KmsCall, noteUse } from './kms-service.ts'
import { authorize } from './permissions.ts'

/** The one algorithm that is played here; keys of other specs exist to be refused. */
export const SYMMETRIC = 'SYMMETRIC_DEFAULT'

type Context = Readonly<Record<string, string>>

/** A key that can encrypt now, and under the algorithm that was asked for. */
export function encryptingKey(
  call: KmsCall,
  key: StoredKey,
  algorithm: string | undefined,
): StoredKey {
  call.record.keyArn = key.arn
  demandEnabled(call, key)
  if (key.usage !== 'ENCRYPT_DECRYPT') {
    throw new Refusal(
      'invalidKeyUsage',
      `${key.arn} key usage is ${key.usage} which is not valid for ${call.operation}.`,
    )
  }
  demandSymmetric(key, algorithm)
  return key
}

function demandSymmetric(key: StoredKey, algorithm = SYMMETRIC): void {
  if ((algorithm === SYMMETRIC) !== (key.spec === SYMMETRIC)) {
    throw new Refusal(
      'invalidKeyUsage',
      `Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`,
    )
  }
  if (key.spec !== SYMMETRIC) throw new Refusal('unsupported', 'The fake has no RSA.')
}

/** Encrypts under the current material. */
export async function sealUnder(
  call: KmsCall,
  key: StoredKey,
  plaintext: Bytes,
  context: Context,
): Promise<{ readonly blob: Bytes; readonly material: KeyMaterial }> {
  const material = currentMaterial(key)
  if (material === undefined) throw new Refusal('invalidState', `${key.arn} is pending import.`)
  const { id } = material
  const named = { id, key: await materialKey(material), keyId: key.set.keyId }
  const blob = await sealBlob(named, plaintext, contextEncoding(call.service)(context))
  noteUse(call, key)
  return { blob, material }
}

/** How a ciphertext is to be opened. */
export interface Opening {
  /** The key that the caller demands. */
  readonly pinned: StoredKey | undefined
  readonly ignoresKeyId: boolean
  readonly action: string
  readonly context: Context
  readonly algorithm: string | undefined
}

/** The plaintext, and the key that opened it. */
export interface Opened {
  readonly key: StoredKey
  readonly material: KeyMaterial
  readonly plaintext: Bytes
}

/**
 * Opens a ciphertext: first the key that the caller demands, then the form of the ciphertext, then
 * whether they belong together, last the tag.
 *
 * @throws Refusal `invalidCiphertext`, `incorrectKey`, `disabled`, `invalidState`, `accessDenied`
 */
export async function openWith(call: KmsCall, bytes: Bytes, opening: Opening): Promise<Opened> {
  const { pinned, context, algorithm } = opening
  if (pinned !== undefined) {
    call.record.keyArn = pinned.arn
    demandEnabled(call, pinned)
  }
  const blob = await parseBlob(bytes)
  if (blob === undefined) throw new Refusal('invalidCiphertext')
  const key = pinned?.set.keyId === blob.keyId ? pinned : otherKey(call, blob, opening)
  if (key === undefined) throw new Refusal('incorrectKey')
  call.record.keyArn = key.arn
  demandSymmetric(key, algorithm)
  const material = key.set.materials.find(({ id }) => id === blob.materialId)
  if (material === undefined) throw new Refusal('invalidCiphertext')
  const additional = contextEncoding(call.service)(context)
  const plaintext = await openBlob(blob, await materialKey(material), additional)
  if (plaintext === undefined) throw new Refusal('invalidCiphertext')
  noteUse(call, key)
  return { key, material, plaintext }
}

/** The key that the ciphertext names, where it is not the one that the caller demands. */
function otherKey(
  call: KmsCall,
  blob: Blob,
  { pinned, ignoresKeyId, action }: Opening,
): StoredKey | undefined {
  if (pinned !== undefined && !ignoresKeyId) return undefined
  const key = call.service.keys.byId(call.region, blob.keyId)
  if (key === undefined) {
    throw new Refusal(
      'accessDenied',
      'The ciphertext refers to a customer master key that does not exist, ' +
        'does not exist in this region, or you are not allowed to access.',
    )
  }
  authorize(call, key, action)
  demandEnabled(call, key)
  return key
}
