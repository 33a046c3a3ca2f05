import { type Bytes, copyBytes, equalBytes } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'
import { wrongOption } from '../checks/index.ts'
import { type KmsSignalOptions } from '../kms/index.ts'
import type { DataKeyStore } from '../ports/index.ts'
import { dataKeyStoreKey, encodeHead, type KeyHeader } from '../wire/index.ts'
import { ask } from './ask.ts'

/**
 * Writes the record of a data key and reads it back: only a record that can be read may be
 * referred to (W4.24).
 *
 * @throws KmsError `ERR_KMS_CONFIG` without a store, `ERR_STORE_UNAVAILABLE`
 */
export async function persistDataKey(
  store: DataKeyStore | undefined,
  header: KeyHeader,
  options: KmsSignalOptions,
): Promise<void> {
  const record = encodeHead('data-key-record', header.bytes)
  const found = await readStore(store, header.commitment, options, record)
  if (found === undefined || !equalBytes(found, record)) {
    throw new KmsError('ERR_STORE_UNAVAILABLE') // it was not kept
  }
}

/**
 * The record that a commitment names.
 *
 * @throws KmsError `ERR_ENVELOPE_UNKNOWN_REFERENCE`, `ERR_KMS_CONFIG` without a store, `ERR_STORE_UNAVAILABLE`
 */
export async function readDataKeyRecord(
  store: DataKeyStore | undefined,
  commitment: Uint8Array,
  options: KmsSignalOptions,
): Promise<Bytes> {
  const record = await readStore(store, commitment, options)
  if (record === undefined) throw new KmsError('ERR_ENVELOPE_UNKNOWN_REFERENCE') // W4.25
  return record
}

/** What the store has, after it was given a record to keep where there is one. */
async function readStore(
  store: DataKeyStore | undefined,
  commitment: Uint8Array,
  options: KmsSignalOptions,
  toKeep?: Bytes,
): Promise<Bytes | undefined> {
  // A kind that nobody reads here; only who asks for it to be written is at fault.
  if (store === undefined)
    throw toKeep
      ? wrongOption('dataKeyStore')
      : new KmsError('ERR_WIRE_KIND_REFUSED', { message: 'no dataKeyStore' })
  const key = dataKeyStoreKey(commitment)
  const call = { signal: options.signal }
  return ask(
    options,
    'ERR_STORE_UNAVAILABLE',
    'ERR_STORE_UNAVAILABLE',
    async () => {
      if (toKeep !== undefined) await store.putIfAbsent(key, toKeep, call)
      const found = await store.get(key, call)
      // A copy here: bytes that are none, or are gone, are the store's failure and not a TypeError later.
      return found instanceof Uint8Array ? copyBytes(found) : found
    },
    (found) => found === undefined || (found as unknown) instanceof Uint8Array,
  )
}
