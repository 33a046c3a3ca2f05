import { KmsError } from '../errors.ts'

/** What a constructor throws for an option that it cannot honour. */
export function wrongOption(name: string): KmsError {
  return new KmsError('ERR_KMS_CONFIG', { message: `${name} is not valid` })
}

/**
 * Refuses options that nobody knows: a misspelt one that is accepted is a default in silence.
 *
 * @param others - what is left of the options once the known ones are taken out
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function refuseOthers(others: Readonly<Record<string, unknown>>): void {
  for (const name in others) {
    if (others[name] === undefined) continue
    throw new KmsError('ERR_KMS_CONFIG', { message: `${name} is no option` })
  }
}
