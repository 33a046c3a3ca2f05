import { type Bytes, copyBytes, toBytes } from '../bytes/index.ts'
import { type BatchSubkeys, recordAad } from '../ciphers/index.ts'
import type { Defer } from '../data-keys/index.ts'
import { beginsAs, HEAD_AT, type MessageKind } from '../wire/index.ts'
import { checkOptions, kindsOf, mapsOf, ownMaps, RECORD_KINDS } from './call-options.ts'
import { checkBody, openBody, openKey, readMessage } from './open-message.ts'
import type { DecryptOptions, MessageOptions } from './options.ts'
import type { CipherSettings } from './settings.ts'
import { started } from './started.ts'

/** Decrypts one message in memory. With the data key at hand this is one AEAD call, started in this turn. */
export function decryptMessage(
  settings: CipherSettings,
  envelope: Uint8Array,
  options: DecryptOptions,
): Promise<Bytes> {
  return started(() => {
    checkOptions(options)
    const bytes = toBytes(envelope, 'envelope')
    options.signal?.throwIfAborted()
    const kinds = kindsOf(options.kinds, RECORD_KINDS)
    return (
      decryptKnown(settings, bytes, kinds, options, options.defer) ??
      decryptOther(settings, bytes, kinds, options)
    )
  })
}

/**
 * Opens an inline record whose header was opened before, byte for byte: it passed parser and policy
 * then, so neither runs again. Returns `undefined` for any other message.
 */
export function decryptKnown(
  settings: CipherSettings,
  bytes: Bytes,
  kinds: readonly MessageKind[],
  maps: MessageOptions,
  defer: Defer,
  batch?: BatchSubkeys,
): Promise<Bytes> | undefined {
  if (!beginsAs('record', bytes) || !kinds.includes('record')) return undefined
  const { context, aad } = mapsOf(maps)
  const key = settings.keys.recall(bytes, context, defer)
  if (key === undefined) return undefined
  const bodyAt = HEAD_AT + key.header.bytes.length
  checkBody(settings, 'record', bytes.length - bodyAt)
  return key.decryptRecord(bytes, recordAad(aad), bodyAt, batch)
}

async function decryptOther(
  settings: CipherSettings,
  bytes: Bytes,
  kinds: readonly MessageKind[],
  options: DecryptOptions,
): Promise<Bytes> {
  const head = readMessage(settings, bytes, kinds)
  const body = copyBytes(bytes.subarray(head.bodyAt))
  const { context, aad } = ownMaps(options)
  recordAad(aad) // refuses a map before any I/O
  const key = await openKey(settings, head, context, options)
  return openBody(head, body, key, aad)
}
