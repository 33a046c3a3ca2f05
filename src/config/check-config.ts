import * as z from 'zod/mini'
import { problemOf } from './problems.ts'

/**
 * Checks the form of a configuration, without resolving anything.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkConfig<T>(schema: z.ZodMiniType<T>, config: unknown): T {
  const result = z.safeParse(schema, config)
  if (result.success) return result.data
  throw problemOf(result.error, schema, config)
}
