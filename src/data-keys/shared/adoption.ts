import { binaryString, type Bytes } from '../../bytes/index.ts'
import { isKmsError } from '../../errors.ts'
import type { CanonicalContext } from '../../kms/index.ts'
import { BoundedMap } from '../../runtime/index.ts'
import type { KeyHeader } from '../../wire/index.ts'
import type { DataEncryptionKey } from '../data-encryption-key.ts'
import { mayEncryptAt } from '../data-key-limits.ts'
import { checkHeader } from '../header-policy.ts'
import type { ObtainOptions, SharedLevelHost } from '../shared-level.ts'
import { verdictOf } from '../cache/verdict.ts'
import { type ActiveEntry, headerOf, isAuthentic, type Slot } from './slot.ts'
import type { StoreAuth } from './store-auth.ts'

/** A key that ends sooner is not worth an unwrap, and may end during it: milliseconds, at most. */
const MARGIN_MS = 5_000

/** A data key in the store that passed every check but the KMS's. */
export interface Candidate {
  readonly active: ActiveEntry
  readonly header: KeyHeader
  /** How long it may still be written under, milliseconds. */
  readonly leftMs: number
  /** This process has written under it as often as it may, or has left it; others may go on. */
  readonly usedUp: boolean
}

/** Under which data keys that others made this process may write (wire format, section 5, adoption). */
export class Adoption {
  adoptions = 0
  refused = 0
  /** Another one after each `clear`: what was asked for before is not used when it comes. */
  generation = 0
  readonly #auth: StoreAuth
  readonly #host: SharedLevelHost
  /**
   * The generation in which this process had a key. One of a past generation is never used again: two
   * restores of one snapshot must not both have it (R13).
   */
  readonly #had: BoundedMap<string, number>

  constructor(auth: StoreAuth, host: SharedLevelHost) {
    this.#auth = auth
    this.#host = host
    this.#had = new BoundedMap(4 * host.maxEntries + 1_000)
  }

  /** The content of a slot that was not refused: nothing, or a key to ask for. */
  async candidate(slot: Slot, context: CanonicalContext): Promise<Candidate | undefined> {
    const { active } = slot
    if (active === undefined) return undefined
    const header = await this.#vouchedFor(active, context)
    if (header === undefined) {
      this.refused += 1
      return undefined
    }
    const leftMs = this.#leftMs(active, header)
    // Not young enough, though nobody has done anything wrong: the end of each data key.
    if (leftMs <= Math.min(MARGIN_MS, this.#host.limits.encryptForMs / 20)) return undefined
    return { active, header, leftMs, usedUp: this.#isUsedUp(header.commitment) }
  }

  /**
   * Adopts a candidate: the KMS opens it.
   *
   * @returns `refused`: the KMS or the commitment says no; `cleared`: it was asked for before a `clear`;
   * `unreachable`: the KMS says nothing, and may yet make a key, where it is several
   * @throws KmsError `ERR_KMS_THROTTLED`, `ERR_KMS_TIMEOUT`: another call would make it worse; or the
   * signal's reason
   */
  async adopt(
    { header }: Candidate,
    context: CanonicalContext,
    options: ObtainOptions,
    generation: number,
  ): Promise<DataEncryptionKey | 'refused' | 'cleared' | 'unreachable'> {
    let key: DataEncryptionKey
    try {
      // W5.8: with the context of the caller, whatever the header says of its own.
      key = await this.#host.open(header, context.map, options)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (isKmsError(error, 'ERR_KMS_UNAVAILABLE')) return 'unreachable'
      if (!isKmsError(error) || verdictOf(error) === 'outage') throw error
      this.refused += 1
      return 'refused'
    }
    if (generation !== this.generation) return 'cleared'
    this.remember(key, generation)
    this.adoptions += 1
    return key
  }

  /** @param generation - in which the key was asked for */
  remember({ header }: DataEncryptionKey, generation: number): void {
    this.#had.set(binaryString(header.commitment), generation)
  }

  clear(): void {
    this.generation += 1
  }

  /** The header, where pointer and header pass every check that costs no KMS call. */
  async #vouchedFor(
    active: ActiveEntry,
    context: CanonicalContext,
  ): Promise<KeyHeader | undefined> {
    const { runtime, limits, policy } = this.#host
    if (!(await isAuthentic(this.#auth, active))) return undefined // W5.9
    if (runtime.now() >= active.notAfterMs) return undefined // W5.10
    const header = headerOf(active, policy.maxWraps)
    if (
      header === undefined ||
      !mayEncryptAt(header.createdAtMs, limits.encryptForMs, runtime.now())
    ) {
      return undefined
    }
    return this.#isOurs(header, context) ? header : undefined
  }

  /** A header that this writer would have written: for this context, under keys that it opens. */
  #isOurs(header: KeyHeader, context: CanonicalContext): boolean {
    const { requiredContextKeys } = this.#host.policy
    try {
      checkHeader(
        { requiredContextKeys, canOpen: (...given) => this.#host.canOpen(...given) },
        header,
        context.map,
      )
    } catch {
      return false
    }
    // W1.14, W1.17: what another writer stored in clear must not go into messages of this one.
    const stored = Object.keys(header.stored)
    if (stored.some((key) => requiredContextKeys.includes(key))) return false
    return stored.length === context.size - new Set(requiredContextKeys).size
  }

  #leftMs(active: ActiveEntry, header: KeyHeader): number {
    const { limits, runtime } = this.#host
    const endMs = Math.min(active.notAfterMs, header.createdAtMs + limits.encryptForMs)
    return endMs - runtime.now()
  }

  #isUsedUp(commitment: Bytes): boolean {
    const had = this.#had.get(binaryString(commitment))
    if (had !== undefined && had < this.generation) return true
    return this.#host.isUsedUp(commitment)
  }
}
