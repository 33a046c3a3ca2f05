import type { Bytes } from '../bytes/index.ts'
import { EnvelopeCipher } from '../envelope/index.ts'
import { type Outcome, settle } from '../errors.ts'
import type { ContextInput, KekVersion } from '../kms/index.ts'
import { LIMITS } from '../wire/index.ts'
import { inParallel } from './in-parallel.ts'
import type { BatchRotationResult } from './result.ts'
import type { StepSettings } from './step-options.ts'
import { readStored } from './stored-value.ts'

/** Options of `rewrapDek` and `rewrapDeksBatch`. */
export interface RewrapDekOptions {
  /** The context of the data keys; by default each one's own, as it carries it. */
  readonly context?: ContextInput
  readonly signal?: AbortSignal | undefined
}

/**
 * Returns one envelope or data-key record under the current KEKs.
 *
 * @throws KmsError as `EnvelopeCipher.rewrap`
 */
export async function rewrapOne(
  { kms, verify, callTimeoutMs, runtime, network }: StepSettings,
  envelope: Uint8Array,
  { context, signal }: RewrapDekOptions,
): Promise<Bytes> {
  const bounds = { callTimeoutMs, runtime, network, maxWraps: LIMITS.maxWraps }
  const cipher = new EnvelopeCipher({ kms, cache: false, ...bounds })
  const stored = context ?? readStored(envelope)?.head.header?.stored ?? {}
  return cipher.rewrap(envelope, { context: stored, verify, signal })
}

/** Rewraps many, and returns what each became. It never rejects for one of them. */
export async function rewrapBatch(
  settings: StepSettings,
  newVersion: readonly KekVersion[],
  envelopes: readonly Uint8Array[],
  options: RewrapDekOptions,
): Promise<BatchRotationResult> {
  const deks = await inParallel(envelopes, settings.concurrency, (envelope) =>
    settle(() => rewrapOne(settings, envelope, options)),
  )
  const errors = deks.flatMap((dek: Outcome<Bytes>, i) =>
    dek.ok ? [] : [`DEK ${String(i)}: ${dek.error.code}`],
  )
  const deksFailed = errors.length
  return { newVersion, deksRotated: deks.length - deksFailed, deksFailed, errors, deks }
}
