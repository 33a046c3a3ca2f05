import * as z from 'zod/mini'
import {
  createLocalKms,
  type LocalKeyVersion,
  type LocalKmsOptions,
} from '../providers/local/index.ts'
import type { CheckedText, ConfigText, KmsMaker, Plain } from './references.ts'
import type { Resolving } from './resolving.ts'
import {
  number,
  type Shape,
  text,
  usage,
  type Variant,
  type SelfDescribed,
  selfDescribed,
} from './schemas.ts'

interface Version<S> extends Omit<Plain<LocalKeyVersion, never, S>, 'key'> {
  /** 32 random bytes in base64. */
  readonly key: S
}

/** A local key: `edge-kms/local`. It cannot rotate itself: a new version is a change of the configuration. */
interface Local<S> extends SelfDescribed, Plain<LocalKmsOptions, 'versions' | 'onRotate', S> {
  readonly provider: 'local'
  readonly versions: readonly Version<S>[]
}

/** Options of `provider: 'local'`: those of `createLocalKms`. */
export type LocalKmsConfig = Local<ConfigText>
type Checked = Local<CheckedText>

const version = z.strictObject({
  version: number,
  key: text,
  state: z.optional(z.enum(['enabled', 'retired'])),
} satisfies Shape<Version<CheckedText>>)

export const localSchema: Variant<Checked, LocalKmsConfig> = z.strictObject({
  ...selfDescribed,
  provider: z.literal('local'),
  kekId: z.optional(text),
  versions: z.array(version),
  usage: z.optional(usage),
} satisfies Shape<Checked>)

export function makerOfLocal(given: Checked, resolving: Resolving): KmsMaker {
  const { provider: _provider, $schema: _schema, ...options } = resolving.all(given, '')
  const { kekId, ...rest } = options
  const { runtime } = resolving.ports
  const ports = { ...(runtime !== undefined && { runtime }) }
  return {
    keyName: kekId,
    make: (name = kekId) =>
      createLocalKms({ ...rest, ...ports, ...(name !== undefined && { kekId: name }) }),
  }
}
