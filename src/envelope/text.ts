import { decodeUtf8, encodeUtf8, isWellFormed } from '../bytes/index.ts'
import { describe } from '../checks/index.ts'
import {
  decodeTextForm,
  decodeTextStart,
  encodeTextForm,
  malformed,
  parseHead,
} from '../wire/index.ts'
import { checkOptions, kindsOf, RECORD_KINDS } from './call-options.ts'
import { decryptMessage } from './decrypt-message.ts'
import { encryptRecordMessage } from './encrypt-record.ts'
import { checkBody } from './open-message.ts'
import type { DecryptOptions, EncryptOptions } from './options.ts'
import { type CipherSettings, readPolicy } from './settings.ts'

/** Encrypts text into the text form of a record. */
export async function encryptText(
  settings: CipherSettings,
  text: string,
  options: EncryptOptions,
): Promise<string> {
  demandText(text)
  if (!isWellFormed(text)) throw new TypeError('text has a lone surrogate, which UTF-8 cannot hold')
  return encodeTextForm(await encryptRecordMessage(settings, encodeUtf8(text), options))
}

/** Decrypts the text form into text. A text is refused by its head and length before it is decoded. */
export async function decryptText(
  settings: CipherSettings,
  text: string,
  options: DecryptOptions,
): Promise<string> {
  demandText(text)
  checkOptions(options)
  options.signal?.throwIfAborted()
  const { start, messageBytes } = decodeTextStart(text)
  if (start.length < messageBytes) {
    const policy = readPolicy(settings, kindsOf(options.kinds, RECORD_KINDS))
    const head = parseHead(start, policy)
    if ('need' in head) throw malformed('cut short')
    checkBody(settings, head.kind, messageBytes - head.bodyAt)
  }
  const envelope = start.length < messageBytes ? decodeTextForm(text) : start
  const plaintext = decodeUtf8(await decryptMessage(settings, envelope, options))
  if (plaintext === undefined) {
    throw new TypeError('the plaintext is not UTF-8 text: use decrypt for bytes')
  }
  return plaintext
}

function demandText(text: unknown): void {
  if (typeof text !== 'string') {
    throw new TypeError(`text must be a string, got ${describe(text)}`)
  }
}
