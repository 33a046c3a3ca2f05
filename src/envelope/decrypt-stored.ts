import { type Bytes, copyBytes, toBytes } from '../bytes/index.ts'
import { configError } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import type { EncryptionContext } from '../kms/index.ts'
import { checkedMaps, kindsOf, RECORD_KINDS, signalOptions, STREAM_KINDS } from './call-options.ts'
import { openBody, readMessage } from './open-message.ts'
import type { DecryptOptions } from './options.ts'
import type { CipherSettings } from './settings.ts'

/** Result of `decryptStored`. */
export interface StoredPlaintext {
  readonly plaintext: Bytes
  /** The context that the envelope carries, verified. */
  readonly context: EncryptionContext
}

/** Decrypts a message in memory under the context that it carries. */
export async function decryptStored(
  settings: CipherSettings,
  envelope: Uint8Array,
  options: DecryptOptions,
): Promise<StoredPlaintext> {
  const { keys } = settings
  if (keys.policy.requiredContextKeys.length > 0) {
    throw new KmsError('ERR_KMS_UNSUPPORTED', {
      message: 'decryptStored is refused because requiredContextKeys is set', // W6.8
    })
  }
  const { context: given, aad } = checkedMaps(options)
  if (given !== undefined) {
    throw configError('decryptStored takes no context: use decrypt to compare one')
  }
  options.signal?.throwIfAborted()
  const bytes = copyBytes(toBytes(envelope, 'envelope'))
  const kinds = kindsOf(options.kinds, [...RECORD_KINDS, ...STREAM_KINDS])
  const head = readMessage(settings, bytes, kinds)
  const signal = signalOptions(options)
  const header = head.header ?? (await keys.headerOf(head.commitment, signal))
  const key = await keys.open(header, header.stored, signal)
  const plaintext = await openBody(head, bytes.subarray(head.bodyAt), key, aad)
  return { plaintext, context: key.context.map } // W6.7
}
