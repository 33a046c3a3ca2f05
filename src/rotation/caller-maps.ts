import { isKmsError, KmsError } from '../errors.ts'

/**
 * Returns what a function of the caller makes of one record. If it throws, that value is corrupt and not the job: one
 * bad row must not stop the others, and many stop the job by its threshold.
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`
 */
export function mapFrom<T>(name: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    if (isKmsError(cause, 'ERR_CONTEXT_INVALID')) throw cause
    throw new KmsError('ERR_CONTEXT_INVALID', { message: `${name} threw for this record`, cause })
  }
}
