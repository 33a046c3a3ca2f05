import type { Bytes } from '../bytes/index.ts'
import { type BatchSubkeys, recordAad } from '../ciphers/index.ts'
import type { DataEncryptionKey } from '../data-keys/index.ts'
import { wrongOption } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import type { EncryptionContext } from '../kms/index.ts'
import { type MessageHead, type MessageKind, parseMessage } from '../wire/index.ts'
import { mapsOf, signalOptions } from './call-options.ts'
import type { EncryptedEnvelope } from './encrypted-envelope.ts'
import { plaintextBytesOf } from './message-size.ts'
import type { CallOptions, MessageOptions } from './options.ts'
import { type CipherSettings, readPolicy } from './settings.ts'
import { decryptStreamBody } from './stream-body.ts'

/** Returns the head of a message in memory that this cipher accepts, with the length of its body checked. */
export function readMessage(
  settings: CipherSettings,
  bytes: Bytes,
  kinds: readonly MessageKind[],
): MessageHead {
  const head = parseMessage(bytes, readPolicy(settings, kinds))
  checkBody(settings, head.kind, bytes.length - head.bodyAt)
  return head
}

/** Refuses a body that no message of this kind has, or that holds more than `maxRecordBytes`. */
export function checkBody(
  { maxRecordBytes }: CipherSettings,
  kind: MessageKind,
  bodyBytes: number,
): void {
  const plaintextBytes = plaintextBytesOf(kind, bodyBytes)
  if (kind.startsWith('record') && plaintextBytes > maxRecordBytes) {
    const message = `the record is longer than ${String(maxRecordBytes)} bytes (maxRecordBytes)`
    throw new KmsError('ERR_WIRE_LIMIT_EXCEEDED', { message })
  }
}

/** Returns the verified data key of a message. The context is the caller's, never the envelope's (W6.6). */
export async function openKey(
  settings: CipherSettings,
  head: MessageHead,
  context: EncryptionContext | undefined,
  options: CallOptions,
): Promise<DataEncryptionKey> {
  const signal = signalOptions(options)
  return head.header === undefined
    ? settings.keys.byReference(head.commitment, context, signal)
    : settings.keys.open(head.header, context, signal)
}

/** Returns the plaintext of any message in memory that has one. */
export async function openBody(
  head: MessageHead,
  body: Bytes,
  key: DataEncryptionKey,
  aad: EncryptionContext | undefined,
  batch?: BatchSubkeys,
): Promise<Bytes> {
  return head.kind.startsWith('record')
    ? key.decryptRecord(body, recordAad(aad), 0, batch)
    : decryptStreamBody(body, key, aad)
}

/** Whether one of the wraps of a parsed envelope is for a configured key. */
export function canOpen(
  { keys }: CipherSettings,
  envelope: EncryptedEnvelope,
  options: Pick<MessageOptions, 'context'>,
): boolean {
  const { wraps } = Object(envelope) as Partial<EncryptedEnvelope>
  if (Array.isArray(wraps)) return keys.canOpen(wraps, mapsOf(options).context)
  throw wrongOption('envelope', 'the result of EncryptedEnvelope.parse()', envelope)
}
