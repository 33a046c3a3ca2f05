import { configError } from './config-error.ts'

/**
 * Refuses options that nobody knows: a misspelt one that is accepted is a default in silence.
 *
 * @param others - what is left of the options once the known ones are taken out
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function refuseOthers(others: Readonly<Record<string, unknown>>): void {
  for (const name in others) {
    if (others[name] !== undefined) throw configError(`${name} is no option here`)
  }
}
