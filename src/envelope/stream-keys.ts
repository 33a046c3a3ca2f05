import type { Bytes } from '../bytes/index.ts'
import type { DataEncryptionKey } from '../data-keys/index.ts'
import type { EncryptionContext } from '../kms/index.ts'
import type { StreamKeys } from './chunk-pipeline.ts'

/** Returns the keys of a stream that is read; its commitment is checked. */
export async function openStreamKeys(
  key: DataEncryptionKey,
  header: Bytes,
  aad: EncryptionContext | undefined,
): Promise<StreamKeys> {
  return { keys: await key.openStream(header, aad) }
}
