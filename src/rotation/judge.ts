import { isKmsError, KmsError, type Outcome } from '../errors.ts'
import {
  canonicalContext,
  contextId,
  type EncryptionContext,
  type KekVersion,
  type KeyManagementService,
  recognizes,
} from '../kms/index.ts'
import { mapFrom } from './caller-maps.ts'
import type { CurrentKeks } from './current-keks.ts'
import { classOfError, classOfKekError } from './error-class.ts'
import type { RewrapTask } from './header-rewraps.ts'
import { inParallel } from './in-parallel.ts'
import type { RotationRecord, StoredValue } from './record-source.ts'
import type { RotationClass } from './rotation-state.ts'
import { areExactlyCurrent } from './staleness.ts'
import { isEmptyValue, readStored, type StoredMessage } from './stored-value.ts'
import type { StepSettings } from './step-options.ts'

/** One value of a record. */
export interface ValueAt {
  readonly record: RotationRecord
  readonly field: string
  readonly value: StoredValue | null
}

/** A value whose class is known, or which is stale and can be rewrapped. */
export interface JudgedValue extends ValueAt {
  /** `stale`: it must be rewrapped. */
  readonly verdict: RotationClass | 'stale'
  /** The code of a failure. */
  readonly code?: string
  readonly message?: StoredMessage
  /** The context of a value whose wraps are in it. */
  readonly context?: EncryptionContext
  /** The data key of a stale value. */
  readonly task?: StaleTask
}

/** A data key that is not under exactly the current KEKs, and what those are. */
export interface StaleTask extends RewrapTask {
  readonly current: readonly KekVersion[]
}

/** Ports of a judge. */
export interface JudgePorts extends Pick<StepSettings, 'kms' | 'contextOf' | 'concurrency'> {
  readonly keks: CurrentKeks
}

type Versions = Outcome<readonly KekVersion[]>

/** A value that is parsed, and not compared with the current KEKs yet. */
type Read =
  JudgedValue | (ValueAt & { readonly message: StoredMessage; readonly context: EncryptionContext })

/** Returns every value of these records. */
export function valuesOf(records: readonly RotationRecord[]): readonly ValueAt[] {
  return records.flatMap((record) =>
    Object.entries(record.values).map(([field, value]) => ({ record, field, value })),
  )
}

/**
 * Judges values: parses them, and compares their wraps with the current KEKs. It asks a KMS only for current
 * versions.
 *
 * @param isPrefix - the values are beginnings of objects
 * @throws the KMS's error if the whole job is wrong
 */
export async function judge(
  ports: JudgePorts,
  source: string,
  values: readonly ValueAt[],
  isPrefix: boolean,
  signal: AbortSignal | undefined,
): Promise<readonly JudgedValue[]> {
  const all = values.map((at) => read(ports, source, at, isPrefix))
  const current = await versionsOf(ports, all, signal)
  return all.map((one) => ('verdict' in one ? one : decide(ports.kms, one, current(one.context))))
}

function read({ contextOf }: JudgePorts, source: string, at: ValueAt, isPrefix: boolean): Read {
  if (isEmptyValue(at.value)) return { ...at, verdict: 'empty' }
  let message: StoredMessage | undefined
  try {
    message = readStored(at.value, isPrefix)
    if (message === undefined) return { ...at, verdict: 'foreign' }
    const { header } = message.head
    if (header === undefined) return { ...at, verdict: 'reference', message }
    const context =
      contextOf === undefined
        ? header.stored
        : given(mapFrom('contextOf', () => contextOf(at.record, at.field, source)))
    return { ...at, message, context }
  } catch (error) {
    // A message without a context still says what it refers to, which a retirement must know.
    return { ...failed(at, error), ...(message && { message }) }
  }
}

/** Returns a context of the caller's. `undefined` is a forgotten `return`, and not the empty context. */
function given(context: unknown): EncryptionContext {
  if (context !== undefined) return canonicalContext(context as EncryptionContext).map
  throw new KmsError('ERR_CONTEXT_INVALID', { message: 'contextOf returned undefined' })
}

/** Returns a function that knows the current versions for each context of the values. */
async function versionsOf(
  { keks, concurrency }: JudgePorts,
  all: readonly Read[],
  signal: AbortSignal | undefined,
): Promise<(context: EncryptionContext) => Versions> {
  const contexts = all.flatMap((one) => ('verdict' in one ? [] : [one.context]))
  if (contexts.length === 0) return () => ({ ok: true, value: [] })
  if (!keks.byContext) {
    const versions: Versions = { ok: true, value: await keks.of(undefined, signal) }
    return () => versions
  }
  const distinct = new Map(contexts.map((context) => [contextId(context), context]))
  const outcomes = await inParallel([...distinct], concurrency, async ([id, context]) => {
    return [id, await keks.outcome(context, signal)] as const
  })
  const known = new Map(outcomes)
  return (context) => known.get(contextId(context)) as Versions
}

function decide(
  kms: KeyManagementService,
  at: ValueAt & { readonly message: StoredMessage; readonly context: EncryptionContext },
  current: Versions,
): JudgedValue {
  const { message, context } = at
  const { header } = message.head
  if (header === undefined) return { ...at, verdict: 'reference' }
  if (!current.ok) return { ...failed(at, current.error, classOfKekError), message }
  if (areExactlyCurrent(header.wraps, current.value)) return { ...at, verdict: 'current' }
  try {
    if (header.wraps.some((wrap) => recognizes(kms, wrap, context)))
      return { ...at, verdict: 'stale', task: { header, context, current: current.value } }
  } catch (error) {
    return { ...failed(at, error), message }
  }
  return { ...failed(at, new KmsError('ERR_ENVELOPE_UNKNOWN_KEY')), message }
}

/** Returns the verdict of a failure; throws a mistake of the caller's. */
function failed(
  { record, field, value }: ValueAt,
  error: unknown,
  classOf: typeof classOfError = classOfError,
): JudgedValue {
  const verdict = isKmsError(error) ? classOf(error) : undefined
  if (verdict === undefined || !isKmsError(error)) throw error
  return { record, field, value, verdict, code: error.code }
}
