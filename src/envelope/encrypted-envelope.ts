import { type Bytes, concatBytes, copyBytes, encodeBase64Url, toBytes } from '../bytes/index.ts'
import { flag, integer, plainOptions, refuseOthers } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import type { EncryptionContext, WrappedKey } from '../kms/index.ts'
import {
  ALL_KINDS,
  checkBodyLength,
  dataKeyStoreKey,
  decodeTextForm,
  decodeTextStart,
  encodeHead,
  type KeyHeader,
  LIMITS,
  malformed,
  type MessageHead,
  type MessageKind,
  parseHead,
  referenceKindOf,
  WIRE_VERSION,
} from '../wire/index.ts'
import { plaintextBytesOf } from './message-size.ts'

/** Options of {@link EncryptedEnvelope.parse}. */
export interface ParseEnvelopeOptions {
  /** Whether this is only the beginning of a message: 72 KiB hold every head. `false` by default. */
  readonly prefix?: boolean
  /** The most wraps that a header may have, 1 to 16; 16 by default. */
  readonly maxWraps?: number
}

/**
 * Shows what an envelope says about itself, without a key and without a network.
 *
 * @remarks Security: nothing here is authenticated. An attacker who can write an envelope can claim
 * anything in it. Only decryption proves the context, the age and the data key, and only an unwrap
 * proves a key version.
 *
 * @example
 * ```ts
 * import { EncryptedEnvelope } from 'edge-kms'
 *
 * export function staleWraps(envelope: Uint8Array, currentVersion: string): number {
 *   return EncryptedEnvelope.parse(envelope).wraps.filter((w) => w.kekVersion !== currentVersion).length
 * }
 * ```
 */
export class EncryptedEnvelope {
  readonly version: number
  readonly kind: MessageKind
  /** Names the data key; messages of one data key share it. */
  readonly commitment: Bytes
  /**
   * When the data key was made, milliseconds since the epoch. Absent in a message by reference, as is
   * `storedContext`.
   */
  readonly createdAtMs?: number
  /** The context that the header carries in clear. */
  readonly storedContext?: EncryptionContext
  readonly wraps: readonly WrappedKey[]
  /** Bytes before the body. */
  readonly headBytes: number
  readonly #header: KeyHeader | undefined
  readonly #body: Bytes
  /** Only the beginning of a message was parsed. */
  readonly #isPrefix: boolean

  private constructor(head: MessageHead, bytes: Bytes, isPrefix: boolean) {
    this.version = head.version
    this.kind = head.kind
    this.commitment = head.commitment
    this.wraps = head.header?.wraps ?? []
    this.headBytes = head.bodyAt
    this.#header = head.header
    this.#body = bytes.subarray(head.bodyAt)
    this.#isPrefix = isPrefix
    if (head.header === undefined) return
    this.createdAtMs = head.header.createdAtMs
    this.storedContext = head.header.stored
  }

  /**
   * Parses a message of any kind, in bytes or in its text form. The bytes are copied: you may use your buffer
   * again at once. Of a large message, parse the beginning with `prefix: true`.
   *
   * @throws KmsError `ERR_WIRE_MALFORMED`, `ERR_WIRE_VERSION_REFUSED`, `ERR_WIRE_KIND_REFUSED`,
   * `ERR_WIRE_LIMIT_EXCEEDED`, `ERR_KMS_CONFIG`
   */
  static parse(
    envelope: Uint8Array | string,
    options: ParseEnvelopeOptions = {},
  ): EncryptedEnvelope {
    const { prefix = false, maxWraps = LIMITS.maxWraps, ...others } = plainOptions(options)
    refuseOthers(others)
    flag('prefix', prefix)
    const bytes = bytesOf(envelope, prefix)
    const head = parseHead(bytes, {
      acceptVersions: [WIRE_VERSION],
      acceptKinds: ALL_KINDS,
      maxWraps: integer('maxWraps', maxWraps, 1, LIMITS.maxWraps),
    })
    if ('need' in head) throw malformed('cut short')
    if (!prefix) checkBodyLength(head.kind, bytes.length - head.bodyAt)
    return new EncryptedEnvelope(head, bytes, prefix)
  }

  /** The key of the data-key record in a store. */
  get dataKeyStoreKey(): string {
    return dataKeyStoreKey(this.commitment)
  }

  /**
   * Returns the data-key record of an inline message, for a data-key store.
   *
   * @throws KmsError `ERR_WIRE_KIND_REFUSED` if the message is by reference
   */
  toDataKeyRecord(): Bytes {
    return encodeHead('data-key-record', this.#demandHeader().bytes)
  }

  /**
   * Returns the same message by reference. Store {@link toDataKeyRecord} first: without that record, the message
   * cannot be read.
   *
   * @throws KmsError `ERR_WIRE_KIND_REFUSED` unless it is an inline record or stream, `ERR_WIRE_MALFORMED` if
   * only its beginning was parsed
   */
  toReference(): Bytes {
    this.#demandHeader()
    this.#demandWhole()
    if (this.kind !== 'record' && this.kind !== 'stream') throw wrongForm(this.kind)
    return concatBytes(encodeHead(referenceKindOf(this.kind), this.commitment), this.#body)
  }

  /**
   * Returns the same message with its key header inside.
   *
   * @param dataKeyRecord - the record that this message refers to
   * @throws KmsError `ERR_WIRE_KIND_REFUSED`, `ERR_WIRE_MALFORMED`, also if only its beginning was parsed
   */
  toInline(dataKeyRecord: Uint8Array): Bytes {
    this.#demandWhole()
    const record = EncryptedEnvelope.parse(dataKeyRecord)
    const inline = this.kind === 'record-by-reference' ? 'record' : 'stream'
    if (!this.kind.endsWith('-by-reference') || record.kind !== 'data-key-record') {
      throw wrongForm(this.kind)
    }
    if (record.dataKeyStoreKey !== this.dataKeyStoreKey) {
      throw malformed('the record is of another data key')
    }
    return concatBytes(encodeHead(inline, record.#demandHeader().bytes), this.#body)
  }

  /**
   * Returns the length of the plaintext in bytes, from the length of the whole envelope: the first
   * 72 KiB, parsed with `prefix: true`, are enough. Like everything here it is unauthenticated.
   *
   * @param envelopeBytes - length of the whole envelope in bytes, e.g. its `Content-Length`
   * @throws KmsError `ERR_DECRYPT_FAILED` if a stream cannot have this length, because it was truncated;
   * `ERR_WIRE_MALFORMED` if a record cannot have it; `ERR_WIRE_KIND_REFUSED` for a data-key record
   * @throws RangeError if `envelopeBytes` is not a length
   *
   * @example
   * ```ts
   * import { EncryptedEnvelope } from 'edge-kms'
   *
   * export function plaintextLength(first72KiB: Uint8Array, contentLength: number): number {
   *   return EncryptedEnvelope.parse(first72KiB, { prefix: true }).plaintextBytes(contentLength)
   * }
   * ```
   */
  plaintextBytes(envelopeBytes: number): number {
    if (!Number.isSafeInteger(envelopeBytes) || envelopeBytes < 0) {
      throw new RangeError('envelopeBytes must be an integer from 0')
    }
    return plaintextBytesOf(this.kind, envelopeBytes - this.headBytes)
  }

  /** Returns plain data for logs and inspection: no ciphertext, and of each wrap only its length. */
  toJSON(): Record<string, unknown> {
    return {
      version: this.version,
      kind: this.kind,
      commitment: encodeBase64Url(this.commitment),
      ...(this.createdAtMs !== undefined && { createdAtMs: this.createdAtMs }),
      ...(this.storedContext !== undefined && { storedContext: this.storedContext }),
      wraps: this.wraps.map(({ provider, kekId, kekVersion, wrapped }) => ({
        provider,
        kekId,
        kekVersion,
        wrappedBytes: wrapped.length,
      })),
      headBytes: this.headBytes,
    }
  }

  /** The rest of the message would be lost, without an error. */
  #demandWhole(): void {
    if (this.#isPrefix) throw malformed('only its beginning was parsed: parse the whole message')
  }

  #demandHeader(): KeyHeader {
    if (this.#header === undefined) throw wrongForm(this.kind)
    return this.#header
  }
}

function bytesOf(envelope: Uint8Array | string, prefix: boolean): Bytes {
  if (typeof envelope !== 'string') return copyBytes(toBytes(envelope, 'envelope'))
  return prefix ? decodeTextStart(envelope).start : decodeTextForm(envelope)
}

function wrongForm(kind: MessageKind): KmsError {
  return new KmsError('ERR_WIRE_KIND_REFUSED', {
    message: `a ${kind} cannot be converted to this form`,
  })
}
