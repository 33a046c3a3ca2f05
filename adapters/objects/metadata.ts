import { configError, describe, isPlain, wrongOption } from '../../src/checks/index.ts'
import { KmsError } from '../../src/errors.ts'
import type { EncryptionContext } from '../../src/index.ts'
import type { StoredObject } from './object-store.ts'

/**
 * The one metadata entry of `EncryptedBucket` itself: the version of this layout, the length of the plaintext in bytes
 * (`-` if it was unknown) and the names of the custom metadata, with blanks between them.
 */
export const OWN_METADATA = 'edge-kms'
/** The entry of the aad that binds {@link OWN_METADATA} and the values of the custom metadata. */
const BOUND_BY = 'object-metadata'
/** Names and values together, bytes: the limit of S3, and what R2 takes. */
const MAX_BYTES = 2_048
/** In lower case, because S3 makes them so. */
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/
/** Values that every store gives back unchanged: visible ASCII, with blanks only inside. */
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/
const OWN = /^1 (-|0|[1-9]\d{0,15})((?: [a-z0-9][a-z0-9-]{0,63})*)$/

/** Custom metadata of one object, with what the class keeps beside it. */
export interface ObjectMetadata {
  readonly custom: Readonly<Record<string, string>>
  /** Length of the plaintext, where it was known when the object was written. */
  readonly plaintextBytes: number | undefined
}

/**
 * Checks custom metadata and returns a copy.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkMetadata(custom: Readonly<Record<string, string>>): Record<string, string> {
  // The entries of a Map or of Headers would be lost.
  if (!isPlain(custom)) throw wrongOption('customMetadata', 'a plain object of strings', custom)
  const checked: Record<string, string> = {}
  for (const [name, value] of Object.entries(custom) as [string, unknown][]) {
    if (!NAME.test(name) || name.startsWith(OWN_METADATA)) {
      throw configError(
        'a name in customMetadata must be 1 to 64 of a-z, 0-9 and -, and not begin with edge-kms: rename it',
      )
    }
    if (typeof value !== 'string' || !VALUE.test(value)) {
      throw configError(
        `customMetadata.${name} must be visible ASCII with blanks only inside, got ${describe(value)}: encode other text`,
      )
    }
    checked[name] = value
  }
  return checked
}

/** Returns the metadata to store. */
export function toStored({ custom, plaintextBytes }: ObjectMetadata): Record<string, string> {
  const own = ['1', plaintextBytes ?? '-', ...Object.keys(custom).sort()].join(' ')
  return { ...custom, [OWN_METADATA]: own }
}

/**
 * Refuses more metadata than every store takes.
 *
 * @throws RangeError above 2,048 bytes
 */
export function checkStoredBytes(stored: Readonly<Record<string, string>>): void {
  const bytes = Object.entries(stored).flat().join('').length
  if (bytes <= MAX_BYTES) return
  throw new RangeError(
    `customMetadata must be at most ${String(MAX_BYTES)} bytes with the entry ${OWN_METADATA}, got ${String(bytes)}`,
  )
}

/**
 * Returns what an object says of itself. Nothing of it is authentic before the envelope was opened with
 * {@link bindMetadata}.
 *
 * @throws KmsError `ERR_WIRE_MALFORMED` if `EncryptedBucket` did not write the object
 */
export function fromStored(object: StoredObject): ObjectMetadata {
  const [, length, names = ''] = OWN.exec(object.metadata(OWN_METADATA) ?? '') ?? []
  if (length === undefined) throw notOurs()
  const custom: Record<string, string> = {}
  for (const name of names.split(' ').filter((one) => one !== '')) {
    // A missing value is another value: the aad will not be the same.
    custom[name] = object.metadata(name) ?? ''
  }
  return { custom, plaintextBytes: length === '-' ? undefined : Number(length) }
}

/**
 * Returns the aad of an object: the caller's and its metadata.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if the caller's is not a plain object, or has the entry that binds the metadata
 */
export function bindMetadata(aad: EncryptionContext, metadata: ObjectMetadata): EncryptionContext {
  // The copy of a promise or a Map has no entry: the key would not be bound.
  if (!isPlain(aad)) throw wrongOption('the answer of aadOf', 'a plain object', aad)
  if (Object.hasOwn(aad, BOUND_BY)) {
    throw configError(`aadOf must not return the entry ${BOUND_BY}, which is reserved: rename it`)
  }
  const stored = toStored(metadata)
  const names = Object.keys(stored).sort()
  return { ...aad, [BOUND_BY]: JSON.stringify(names.map((name) => [name, stored[name]])) }
}

function notOurs(): KmsError {
  const message = `the object has no metadata ${OWN_METADATA}: EncryptedBucket did not write it, or a copy dropped it`
  return new KmsError('ERR_WIRE_MALFORMED', { message })
}
