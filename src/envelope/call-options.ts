import { streamContext } from '../ciphers/index.ts'
import { demandSignal, isPlain, plainOptions, refuseOthers, wrongOption } from '../checks/index.ts'
import { canonicalContext, type EncryptionContext } from '../kms/index.ts'
import type { MessageKind } from '../wire/index.ts'
import type { CallOptions, MessageOptions } from './options.ts'

/** Options of any call on one message: one object may serve `encrypt` and `decrypt`. */
const MESSAGE_OPTIONS: ReadonlySet<string> = new Set([
  'context',
  'aad',
  'form',
  'kinds',
  'signal',
  'defer',
])

/** Options of a range read. */
export const RANGE_OPTIONS: ReadonlySet<string> = new Set([...MESSAGE_OPTIONS, 'readTimeoutMs'])

/** Options of a call on many messages. An option of an item would bind nothing here. */
export const BATCH_OPTIONS: ReadonlySet<string> = new Set(['kinds', 'signal', 'defer'])

/** Kinds that `decrypt` opens by default. */
export const RECORD_KINDS: readonly MessageKind[] = ['record', 'record-by-reference']
export const STREAM_KINDS: readonly MessageKind[] = ['stream', 'stream-by-reference']

/**
 * Refuses a misspelt option: without its `context` or `aad` a message would bind nothing, and the same
 * mistake would decrypt it. Makes no object, because every cached call comes through here.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkOptions(
  options: object,
  known: ReadonlySet<string> = MESSAGE_OPTIONS,
  name = 'options',
): void {
  refuseOthers(plainOptions(options, name) as Readonly<Record<string, unknown>>, known)
  const { signal, defer } = options as CallOptions
  if (signal !== undefined) demandSignal(signal)
  if (defer !== undefined && typeof defer !== 'function') {
    throw wrongOption('defer', 'a function such as (work) => ctx.waitUntil(work)', defer)
  }
}

/**
 * Returns the kinds that a call accepts. A string would be searched for parts of names.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function kindsOf(
  kinds: readonly MessageKind[] | undefined,
  usual: readonly MessageKind[],
): readonly MessageKind[] {
  if (kinds === undefined || Array.isArray(kinds)) return kinds ?? usual
  throw wrongOption('kinds', 'an array of message kinds', kinds)
}

/** Only what a source of data keys may see of a call's options. */
export function signalOptions({ signal, defer }: CallOptions): CallOptions {
  return { signal, defer }
}

/** The two maps of a call, as a caller gives them. */
type GivenMaps = Pick<MessageOptions, 'context' | 'aad'>

/** The two maps of a call. The encoder still checks their values: the types of a caller may lie. */
export interface Maps {
  readonly context?: EncryptionContext | undefined
  readonly aad?: EncryptionContext | undefined
}

/** Returns the same object, in the type that the encoder of maps takes. */
export function mapsOf(given: GivenMaps): Maps {
  return given as Maps
}

/**
 * Returns copies of the maps: the caller may change theirs while the KMS is asked. A value that is not a map
 * stays what it is, for the check of maps to refuse it.
 */
export function ownMaps(given: GivenMaps): Maps {
  const { context, aad } = mapsOf(given)
  return { context: ownMap(context), aad: ownMap(aad) }
}

function ownMap<T>(map: T): T {
  return isPlain(map) ? { ...map } : map
}

/** Checks the options of a stream or a range now, and returns copies of the maps for later. */
export function checkedMaps(
  options: MessageOptions,
  known: ReadonlySet<string> = MESSAGE_OPTIONS,
): Maps {
  checkOptions(options, known)
  const { context, aad } = mapsOf(options)
  streamContext(aad)
  canonicalContext(context)
  return ownMaps(options)
}
