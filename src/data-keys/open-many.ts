import { binaryString } from '../bytes/index.ts'
import { type Outcome, settle } from '../errors.ts'
import { contextId, type EncryptionContext, type KmsSignalOptions } from '../kms/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import { DataEncryptionKey } from './data-encryption-key.ts'
import type { DataKeyFactory } from './data-key-factory.ts'
import type { OpenRequest } from './data-key-source.ts'
import type { Opening } from './opening.ts'

/**
 * Returns an id that is equal for equal headers, wraps included, and equal contexts only. It costs no
 * hash, so that callers in one turn share one opening.
 */
export function openingId({ bytes }: KeyHeader, context: EncryptionContext | undefined): string {
  return `${binaryString(bytes)} ${String(bytes.length)} ${contextId(context)}`
}

/**
 * Opens a page of headers, each distinct one once: in order, one outcome for each.
 *
 * @param atHand - the key of a request that needs no KMS
 */
export async function openMany(
  factory: DataKeyFactory,
  requests: readonly OpenRequest[],
  options: KmsSignalOptions,
  atHand: (request: OpenRequest) => DataEncryptionKey | undefined,
): Promise<readonly Outcome<DataEncryptionKey>[]> {
  const distinct = new Map<string, Promise<Opening>>()
  const admit = (request: OpenRequest): DataEncryptionKey | Promise<Opening> => {
    const { header, context } = request
    factory.check(header, context)
    const key = atHand(request)
    if (key !== undefined) return key
    const id = openingId(header, context)
    const opening = distinct.get(id) ?? factory.admit(header, context)
    distinct.set(id, opening)
    return opening
  }
  const admitted = await Promise.all(
    requests.map((request) => settle<DataEncryptionKey | Opening>(() => admit(request))),
  )
  const openings = new Set<Opening>()
  for (const outcome of admitted) {
    if (outcome.ok && !(outcome.value instanceof DataEncryptionKey)) openings.add(outcome.value)
  }
  const asked = [...openings]
  const answers = await factory.openMany(asked, options)
  const opened = new Map<unknown, Outcome<DataEncryptionKey>>()
  asked.forEach((opening, i) => opened.set(opening, answers[i] as Outcome<DataEncryptionKey>))
  return admitted.map(
    (outcome) =>
      (outcome.ok && opened.get(outcome.value)) || (outcome as Outcome<DataEncryptionKey>),
  )
}
