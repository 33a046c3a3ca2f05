import { KmsError } from '../errors.ts'

/** What is wrong with the configuration, without its values. */
export function configError(message: string): KmsError {
  return new KmsError('ERR_KMS_CONFIG', { message })
}
