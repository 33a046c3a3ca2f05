import { describe, optionError } from '../checks/index.ts'
import { isKmsError, KmsError } from '../errors.ts'
import { callersContext, type EncryptionContext } from '../kms/index.ts'

const MAX_NAME_CHARS = 2_048

/**
 * Returns the name of the key that a context belongs to, or `undefined` for a context without one.
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`; `ERR_KMS_CONFIG` if the function fails or answers anything else
 */
export function keyNameOf(
  keyFor: (context: EncryptionContext) => unknown,
  context: EncryptionContext,
): string | undefined {
  const given = callersContext(context)
  let keyName: unknown
  try {
    keyName = keyFor(given)
  } catch (error) {
    if (isKmsError(error)) throw error
    // Its message may quote the context.
    throw new KmsError('ERR_KMS_CONFIG', {
      message: 'the function in keyFor failed: it must return a key name or undefined',
    })
  }
  if (keyName === undefined) return undefined
  if (typeof keyName === 'string' && keyName !== '' && keyName.length <= MAX_NAME_CHARS)
    return keyName
  const expected = `a key name of 1 to ${String(MAX_NAME_CHARS)} characters or undefined`
  throw optionError('keyFor', `must answer ${expected}, got ${describe(keyName)}`)
}
