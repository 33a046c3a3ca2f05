import * as z from 'zod/mini'
import { EnvKeyProvider, type EnvKeyProviderOptions } from '../providers/local/index.ts'
import type { CheckedText, ConfigText, KmsMaker, Plain } from './references.ts'
import type { Resolving } from './resolving.ts'
import {
  browserRule,
  type SelfDescribed,
  selfDescribed,
  type Shape,
  text,
  usage,
  type Variant,
} from './schemas.ts'

/** Local keys of environment variables: `EnvKeyProvider`. */
interface Env<S> extends SelfDescribed, Plain<EnvKeyProviderOptions, 'onRotate' | 'prefix', S> {
  readonly provider: 'env'
  /** `EDGE_KMS_KEY` by default: `resolve` is asked for `EDGE_KMS_KEY_V1` to `EDGE_KMS_KEY_V64`, and `…_RETIRED`. */
  readonly prefix?: string | undefined
}

/** Options of `provider: 'env'`: those of `EnvKeyProvider`. */
export type EnvKmsConfig = Env<ConfigText>
type Checked = Env<CheckedText>

/** Versions that are looked for: a resolver cannot list its names. */
const MAX_VERSION = 64

/** One call without effects, so that a bundle can drop it. */
export const envSchema: Variant<Checked, EnvKmsConfig> = /* @__PURE__ */ schema()

function schema(): Variant<Checked, EnvKmsConfig> {
  return z.strictObject({
    ...selfDescribed,
    provider: z.literal('env'),
    prefix: z.optional(z.string().check(z.regex(/^[A-Za-z_]\w{0,99}$/))),
    kekId: z.optional(text),
    usage: z.optional(usage),
    ...browserRule,
  } satisfies Shape<Checked>)
}

export function makerOfEnv(
  { prefix = 'EDGE_KMS_KEY', ...given }: Checked,
  resolving: Resolving,
): KmsMaker {
  const { provider: _provider, $schema: _schema, ...options } = resolving.all(given, '')
  const { kekId, ...rest } = options
  const { runtime } = resolving.ports
  const ports = { ...(runtime !== undefined && { runtime }) }
  const versions = Array.from({ length: MAX_VERSION }, (_, i) => `${prefix}_V${String(i + 1)}`)
  const env = resolving.variables([...versions, `${prefix}_RETIRED`])
  return {
    keyName: kekId,
    make: (name = kekId) =>
      new EnvKeyProvider(env, {
        ...rest,
        ...ports,
        prefix,
        ...(name !== undefined && { kekId: name }),
      }),
  }
}
