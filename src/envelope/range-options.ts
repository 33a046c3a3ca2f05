import { shown, plainOptions, refuseOthers } from '../checks/index.ts'
import type { Bytes } from '../bytes/index.ts'
import { MAX_STREAM_BYTES } from './message-size.ts'
import type { MessageOptions } from './options.ts'

/**
 * Returns bytes `start` (inclusive) to `end` (exclusive) of the envelope: fewer if it ends before `end`,
 * none past its end, never more. All reads of one call must see one version of the object: pin its ETag.
 *
 * The signal aborts when the read times out or the caller aborts: pass it to `fetch`.
 */
export type ReadEnvelopeRange = (
  start: number,
  end: number,
  signal: AbortSignal,
) => Promise<Uint8Array>

/** Options of `decryptRange`. */
export interface DecryptRangeOptions extends MessageOptions {
  /** How long one `read` may take, in milliseconds: 30,000 by default, 1 to 900,000. */
  readonly readTimeoutMs?: number
}

/** A range of the plaintext, `end` exclusive. */
export interface PlaintextRange {
  /**
   * Offset of the first byte. A negative number counts from the end of the plaintext; it requires `size` and
   * excludes `end`.
   */
  readonly start: number
  /** Offset after the last byte; by default the end of the message. */
  readonly end?: number
  /**
   * Length of the whole envelope in bytes, if you know it. It is verified by decrypting the final chunk, which
   * costs one more read.
   */
  readonly size?: number
}

/** Result of a range read. */
export interface DecryptedRange {
  readonly plaintext: Bytes
  /** Offset of the first byte. A range past the end of the message is cut. */
  readonly start: number
  /** Offset after the last byte. */
  readonly end: number
  /**
   * Whether the final chunk was decrypted, which proves `length`. `false`: the returned bytes and their offsets are
   * verified, but not what follows them.
   */
  readonly lengthVerified: boolean
  /** Length of the whole plaintext; only with `lengthVerified`. */
  readonly length?: number
}

/** A {@link PlaintextRange} that makes sense, read once. */
export interface CheckedRange {
  readonly start: number
  readonly end: number | undefined
  readonly size: number | undefined
}

/**
 * Refuses ranges that make no sense, before any read. Returns a copy: the caller may change theirs during the reads.
 *
 * @throws RangeError
 * @throws KmsError `ERR_KMS_CONFIG` for an unknown option
 */
export function checkRange(range: PlaintextRange): CheckedRange {
  const { start, end, size, ...others } = plainOptions(range, 'range')
  refuseOthers(others)
  const isOffset = (value = 0): boolean =>
    Number.isSafeInteger(value) && value >= 0 && value <= MAX_STREAM_BYTES + 1
  if (!Number.isSafeInteger(start) || !isOffset(Math.abs(start))) {
    throw new RangeError(`start must be an integer, got ${shown(start)}`)
  }
  if (!isOffset(size)) {
    throw new RangeError(`size must be the length of the envelope in bytes, got ${shown(size)}`)
  }
  if (start < 0 && (size === undefined || end !== undefined)) {
    throw new RangeError('a negative start needs size, and no end')
  }
  if (!isOffset(end) || (end ?? start) < start) {
    throw new RangeError(`end must be an integer from start, got ${shown(end)}`)
  }
  return { start, end, size }
}
