import { type Bytes, equalBytes } from '../bytes/index.ts'
import { isKmsError, KmsError } from '../errors.ts'
import type { KmsSignalOptions } from '../kms/index.ts'
import type { DataKeyStore } from '../ports/index.ts'
import { dataKeyStoreKey, encodeHead, type KeyHeader } from '../wire/index.ts'

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
  const key = dataKeyStoreKey(header.commitment)
  const record = encodeHead('data-key-record', header.bytes)
  const found = await useStore(store, options, async (open) => {
    await open.putIfAbsent(key, record, { signal: options.signal })
    return open.get(key, { signal: options.signal })
  })
  if (found === undefined || !equalBytes(found, record)) {
    throw new KmsError('ERR_STORE_UNAVAILABLE', { message: 'the data key was not kept' })
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
  const key = dataKeyStoreKey(commitment)
  const record = await useStore(store, options, (open) => open.get(key, { signal: options.signal }))
  if (record === undefined) throw new KmsError('ERR_ENVELOPE_UNKNOWN_REFERENCE') // W4.25
  return record
}

async function useStore<T>(
  store: DataKeyStore | undefined,
  options: KmsSignalOptions,
  work: (store: DataKeyStore) => Promise<T>,
): Promise<T> {
  if (store === undefined) {
    throw new KmsError('ERR_KMS_CONFIG', { message: 'references need a dataKeyStore' })
  }
  try {
    return await work(store)
  } catch (cause) {
    if (isKmsError(cause)) throw cause
    options.signal?.throwIfAborted()
    throw new KmsError('ERR_STORE_UNAVAILABLE', { cause })
  }
}
