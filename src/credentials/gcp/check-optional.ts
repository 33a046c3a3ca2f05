import { configError } from '../../checks/index.ts'

/** An option that is a text where it is given at all. */
export function checkOptional(name: string, value: unknown): void {
  if (value !== undefined && (typeof value !== 'string' || value === ''))
    throw configError(`${name} is not valid`)
}
