import * as z from 'zod/mini'
import { configError } from '../checks/index.ts'
import type { GcpKmsKeyOptions } from '../providers/gcp-kms/index.ts'
import type { CheckedText, ConfigText, KmsMaker, Plain } from './references.ts'
import type { Resolving } from './resolving.ts'
import {
  number,
  type SelfDescribed,
  selfDescribed,
  type Shape,
  text,
  usage,
  type Variant,
} from './schemas.ts'

/** A key of Google Cloud KMS through Google's own client, which the option `googleCloudKms` brings. */
interface GoogleCloud<S> extends SelfDescribed, Plain<GcpKmsKeyOptions, never, S> {
  readonly provider: 'google-cloud-kms'
  readonly timeoutMs?: number | undefined
}

/** Options of `provider: 'google-cloud-kms'`. */
export type GoogleCloudKmsConfig = GoogleCloud<ConfigText>
type Checked = GoogleCloud<CheckedText>

/** One call without effects, so that a bundle can drop it. */
export const googleCloudSchema: Variant<Checked, GoogleCloudKmsConfig> = /* @__PURE__ */ schema()

function schema(): Variant<Checked, GoogleCloudKmsConfig> {
  return z.strictObject({
    ...selfDescribed,
    provider: z.literal('google-cloud-kms'),
    keyName: text,
    randomBytes: z.optional(z.enum(['local', 'hsm'])),
    usage: z.optional(usage),
    timeoutMs: z.optional(number),
  } satisfies Shape<Checked>)
}

export function makerOfGoogleCloud(given: Checked, resolving: Resolving): KmsMaker {
  const { provider: _provider, $schema: _schema, ...options } = resolving.all(given, '')
  const { googleCloudKms } = resolving.clients
  if (googleCloudKms === undefined)
    throw configError(
      'provider google-cloud-kms needs a client: give createKms a `googleCloudKms` option that makes the KMS',
    )
  const { ports } = resolving
  return {
    keyName: options.keyName,
    make: (keyName = options.keyName) => googleCloudKms({ ...options, ...ports, keyName }),
  }
}
