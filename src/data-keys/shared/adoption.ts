import { binaryString, type Bytes } from '../../bytes/index.ts'
import { isKmsError } from '../../errors.ts'
import { type CanonicalContext, contextEquals } from '../../kms/index.ts'
import type { KeyHeader } from '../../wire/index.ts'
import { BoundedMap } from '../bounded-map.ts'
import type { DataEncryptionKey, DataKeyUse } from '../data-encryption-key.ts'
import { mayEncryptAt } from '../data-key-limits.ts'
import { checkHeader } from '../header-policy.ts'
import type { ObtainOptions, SharedLevelHost } from '../shared-level.ts'
import { failureOf } from '../stale-freshness.ts'
import { type ActiveEntry, headerOf, isAuthentic, type Slot } from './slot.ts'
import type { StoreAuth } from './store-auth.ts'

/** Counts of keys are remembered for longer than keys: of a multiple of these, and some more. */
const COUNTS = { times: 4, more: 1_000 } as const
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

/** A key that this process had. */
interface Had {
  /** One of before a clear is left for ever: two restores of one snapshot must not both have it (R13). */
  readonly era: number
  readonly used: DataKeyUse
}

/** Under which data keys that others made this process may write (wire format, section 5, adoption). */
export class Adoption {
  adoptions = 0
  refused = 0
  /** Another one after each `clear`: what was asked for before is left, and not known, when it comes. */
  era = 0
  readonly #auth: StoreAuth
  readonly #host: SharedLevelHost
  /** Keys that this process wrote under: one that comes back is the same. */
  readonly #known: BoundedMap<string, DataEncryptionKey>
  /** And what they were used for, for longer: W5.5 counts for a process, not for a visit to the store. */
  readonly #had: BoundedMap<string, Had>

  constructor(auth: StoreAuth, host: SharedLevelHost) {
    this.#auth = auth
    this.#host = host
    this.#known = new BoundedMap(host.maxEntries)
    this.#had = new BoundedMap(COUNTS.times * host.maxEntries + COUNTS.more)
  }

  /** What a slot has to offer, and that was worth no refusal: nothing, or a key to be asked for. */
  async candidate(
    slot: Slot,
    context: CanonicalContext,
    { bytes }: ObtainOptions,
  ): Promise<Candidate | undefined> {
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
    return { active, header, leftMs, usedUp: this.#isUsedUp(header.commitment, bytes) }
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
    era: number,
  ): Promise<DataEncryptionKey | 'refused' | 'cleared' | 'unreachable'> {
    let key: DataEncryptionKey
    try {
      // W5.8: with the context of the caller, whatever the header says of its own.
      key = await this.#host.open(header, context.map, options)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (isKmsError(error, 'ERR_KMS_UNAVAILABLE')) return 'unreachable'
      if (!isKmsError(error) || failureOf(error) === 'outage') throw error
      this.refused += 1
      return 'refused'
    }
    // Cleared meanwhile: others that are on their way to the same key would not know this one's counts.
    if (era !== this.era) return 'cleared'
    const id = binaryString(header.commitment)
    key.used = this.#had.get(id)?.used ?? key.used
    const known = this.#known.get(id)
    const mine = known !== undefined && contextEquals(context.map, known.context) ? known : key
    this.remember(mine, era)
    if (options.durable) await this.#host.makeDurable(mine, options)
    this.adoptions += 1
    return mine
  }

  /** @param era - when it was asked for */
  remember(key: DataEncryptionKey, era: number): void {
    const id = binaryString(key.header.commitment)
    this.#had.set(id, { era, used: key.used })
    if (era === this.era) this.#known.set(id, key)
  }

  clear(): void {
    this.era += 1
    this.#known.clear()
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
    if (header === undefined || !mayEncryptAt(header.createdAtMs, limits, runtime.now())) {
      return undefined
    }
    return this.#isOurs(header, context) ? header : undefined
  }

  /** A header that this writer would have written: for this context, under keys that it opens. */
  #isOurs(header: KeyHeader, context: CanonicalContext): boolean {
    const { requiredContextKeys } = this.#host.policy
    try {
      checkHeader(this.#host, header, context.map)
    } catch {
      return false
    }
    // W1.14: what another writer stored in clear must not go into messages of this one.
    const stored = Object.keys(header.stored)
    if (stored.some((key) => requiredContextKeys.includes(key))) return false
    return stored.length === context.size - new Set(requiredContextKeys).size
  }

  #leftMs(active: ActiveEntry, header: KeyHeader): number {
    const { limits, runtime } = this.#host
    const endMs = Math.min(active.notAfterMs, header.createdAtMs + limits.encryptForMs)
    return endMs - runtime.now()
  }

  #isUsedUp(commitment: Bytes, bytes: number): boolean {
    const had = this.#had.get(binaryString(commitment))
    if (had === undefined) return false
    if (had.era < this.era) return true
    const { maxMessages, maxBytes } = this.#host.limits
    return had.used.messages >= maxMessages || had.used.bytes + bytes > maxBytes
  }
}
