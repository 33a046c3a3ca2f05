import { binaryString } from '../bytes/index.ts'
import { isKmsError, type KmsError, type Outcome } from '../errors.ts'
import {
  type CanonicalContext,
  canonicalContext,
  contextId,
  type EncryptionContext,
  type KeyManagementService,
  kmsContext,
  type UnwrapRequest,
  type WrappedKey,
} from '../kms/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import type { OpenRequest } from './data-key-source.ts'
import { checkHeader, eligibleWraps } from './header-policy.ts'

/** One distinct header of a batch. */
export interface OpenBatchItem extends UnwrapRequest {
  readonly header: KeyHeader
  readonly canonical: CanonicalContext
  readonly wraps: readonly WrappedKey[]
}

/** A page of headers without its repetitions, so that each data key is unwrapped once. */
export class OpenBatch {
  readonly items: OpenBatchItem[] = []
  /** For each request, the place of its item, or why it has none. */
  readonly #places: (number | KmsError)[] = []

  constructor(kms: KeyManagementService, requests: readonly OpenRequest[]) {
    const known = new Map<string, number>()
    for (const { header, context } of requests) {
      try {
        const id = headerId(header, context)
        let place = known.get(id)
        if (place === undefined) {
          checkHeader(kms, header, context)
          place = this.items.push(prepare(kms, header, context)) - 1
          known.set(id, place)
        }
        this.#places.push(place)
      } catch (error) {
        if (!isKmsError(error)) throw error
        this.#places.push(error)
      }
    }
  }

  /** One outcome for each request, in order, from one for each item. */
  spread<T>(outcomes: readonly Outcome<T>[]): readonly Outcome<T>[] {
    return this.#places.map((place) =>
      typeof place === 'number' ? (outcomes[place] as Outcome<T>) : { ok: false, error: place },
    )
  }
}

function prepare(
  kms: KeyManagementService,
  header: KeyHeader,
  context: EncryptionContext | undefined,
): OpenBatchItem {
  const canonical = canonicalContext(context)
  const k = kmsContext(canonical.map, header.salt, header.createdAtMs)
  return { header, canonical, wraps: eligibleWraps(kms, header), context: k }
}

/** Equal for equal header bytes and equal contexts only. */
export function headerId(header: KeyHeader, context: EncryptionContext | undefined): string {
  return `${String(header.bytes.length)} ${binaryString(header.bytes)} ${contextId(context)}`
}

/** Runs one item of a batch: a KmsError is its outcome, anything else is a mistake and rejects. */
export async function settle<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    if (isKmsError(error)) return { ok: false, error }
    throw error
  }
}
