import { wrongOption } from '../../checks/index.ts'

/** An option that is a text where it is given at all. */
export function checkOptional(name: string, value: unknown): void {
  if (value !== undefined && (typeof value !== 'string' || value === ''))
    throw wrongOption(name, 'a string that is not empty', value)
}
