import { configError, type KmsError } from '../errors.ts'

/** What a constructor throws for an option that it cannot honour. */
export function wrongOption(name: string): KmsError {
  return configError(`${name} is not valid`)
}
