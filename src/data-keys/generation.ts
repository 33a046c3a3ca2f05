import { KmsError } from '../errors.ts'

/**
 * The unit that `clear()` ends: the data keys of one generation are not used for anything new after it, and
 * streams under them fail. A source has one generation at a time.
 */
export class Generation {
  ended = false

  /** @throws KmsError `ERR_DATA_KEY_EXHAUSTED` after `clear()` */
  demandCurrent(): void {
    if (!this.ended) return
    const message = 'clear() was called after this began: start again'
    throw new KmsError('ERR_DATA_KEY_EXHAUSTED', { message })
  }
}
