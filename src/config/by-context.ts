import * as z from 'zod/mini'
import type { KeyManagementService } from '../kms/index.ts'
import { kmsByContext } from '../resilience/index.ts'
import { keyTemplate } from './key-template.ts'
import { type CheckedOne, makerOf, oneKmsSchema, type OneKmsConfig } from './one-kms.ts'
import type { Resolving } from './resolving.ts'
import { integer, type SelfDescribed, selfDescribed, type Shape, type Variant } from './schemas.ts'

interface ByContext<K> extends SelfDescribed {
  readonly provider: 'by-context'
  /**
   * The key of every customer: the option that names the key (`keyId`, `keyName`, `key` or `kekId`) has
   * entries of the context in braces, e.g. `alias/customer/{tenant}`. All other options are the same for all.
   */
  readonly kms: K
  /** How many customers' KMSs are held: 1,000 by default, 1 to 100,000. */
  readonly maxEntries?: number | undefined
}

/** One key for each customer, named by the context: `kmsByContext`. */
export type KmsByContextConfig = ByContext<OneKmsConfig>
export type CheckedByContext = ByContext<CheckedOne>

/** One call without effects, so that a bundle can drop it. */
export const byContextSchema: Variant<CheckedByContext, KmsByContextConfig> =
  /* @__PURE__ */ schema()

function schema(): Variant<CheckedByContext, KmsByContextConfig> {
  return z.strictObject({
    ...selfDescribed,
    provider: z.literal('by-context'),
    kms: oneKmsSchema,
    maxEntries: integer(1, 100_000),
  } satisfies Shape<CheckedByContext>)
}

/**
 * Returns a KMS of one key for each customer.
 *
 * @param compose - puts layers around the KMS of one customer
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function createByContext(
  { kms: given, maxEntries }: CheckedByContext,
  resolving: Resolving,
  compose: (kms: KeyManagementService, keyName: string) => KeyManagementService,
): KeyManagementService {
  const inner = resolving.below('kms')
  return inner.within('', () => {
    const maker = makerOf(given, inner)
    const template = keyTemplate(given.provider, maker.keyName)
    // A wrong option shows now, not at the first customer.
    const sample = compose(maker.make(template.sample), template.sample)
    const { usage, bindsContext, rewrapsInside, rotates, revealsVersion, limits } =
      sample.capabilities
    return kmsByContext({
      keyFor: template.expand,
      create: (keyName) => compose(maker.make(keyName), keyName),
      capabilities: { usage, bindsContext, rewrapsInside, rotates, revealsVersion, limits },
      ...(maxEntries !== undefined && { maxEntries }),
      ...inner.ports,
    })
  })
}
