import * as z from 'zod/mini'
import { optionError } from '../checks/index.ts'
import { problemOf } from './problems.ts'

/**
 * Checks the form of a configuration, without resolving anything.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkConfig<T>(schema: z.ZodMiniType<T>, config: unknown): T {
  refuseProto(config)
  const result = z.safeParse(schema, config)
  if (result.success) return result.data
  throw problemOf(result.error, schema, config)
}

/** `JSON.parse` makes a key of `__proto__`, and the parser of schemas drops it: a context would lose an entry. */
function refuseProto(config: unknown): void {
  const seen = new Set<unknown>([config])
  for (const value of seen) {
    if (typeof value !== 'object' || value === null) continue
    if (Object.hasOwn(value, '__proto__')) {
      throw optionError('the configuration', 'must not have a key named __proto__')
    }
    for (const one of Object.values(value)) seen.add(one)
  }
}
