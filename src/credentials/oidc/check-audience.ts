import { wrongOption } from '../../checks/index.ts'

/** An absent audience would be the platform's default, and the token good for somebody else. */
export function checkAudience(audience: unknown): void {
  if (typeof audience !== 'string' || audience === '')
    throw wrongOption('audience', 'a string that is not empty', audience)
}
