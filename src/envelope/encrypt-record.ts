import { type Bytes, copyBytes, toBytes } from '../bytes/index.ts'
import { recordAad } from '../ciphers/index.ts'
import { DataEncryptionKey } from '../data-keys/index.ts'
import { KmsError } from '../errors.ts'
import { checkOptions, mapsOf } from './call-options.ts'
import type { CallOptions, EncryptOptions } from './options.ts'
import { type CipherSettings, formOf } from './settings.ts'
import { started } from './started.ts'

/** The tools that encrypt a record. */
export type RecordSettings = Omit<CipherSettings, 'keys'> & {
  readonly keys: Pick<CipherSettings['keys'], 'active'>
}

/** Encrypts one record. With the data key at hand this is one AEAD call, started in this turn. */
export function encryptRecordMessage(
  settings: RecordSettings,
  plaintext: Uint8Array,
  options: EncryptOptions,
): Promise<Bytes> {
  return started(() => {
    checkOptions(options)
    return sealRecord(settings, toBytes(plaintext, 'plaintext'), options, options)
  })
}

/**
 * Encrypts one record whose options and type were checked.
 *
 * @throws KmsError at once, or the promise rejects
 */
export function sealRecord(
  { keys, maxRecordBytes, form: usualForm }: RecordSettings,
  plaintext: Bytes,
  options: EncryptOptions,
  { signal, defer }: CallOptions,
): Promise<Bytes> {
  if (plaintext.length > maxRecordBytes) {
    const message = `a record has at most ${String(maxRecordBytes)} bytes: use encryptStream`
    throw new KmsError('ERR_ENVELOPE_TOO_LARGE', { message }) // W4.9
  }
  signal?.throwIfAborted()
  const form = formOf(options.form ?? usualForm)
  const maps = mapsOf(options)
  const aad = recordAad(maps.aad)
  const call = { signal, defer, durable: form === 'reference' }
  const key = keys.active(maps.context, call)
  // With the key at hand the platform copies the plaintext in this turn; else it is copied here.
  if (key instanceof DataEncryptionKey) return key.encryptRecord(plaintext, aad, form)
  const own = copyBytes(plaintext)
  return key.then((made) => made.encryptRecord(own, aad, form))
}
