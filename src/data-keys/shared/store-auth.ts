import {
  type Bytes,
  concatBytes,
  copyBytes,
  encodeBase64Url,
  encodeUtf8,
} from '../../bytes/index.ts'
import {
  authenticateStored,
  importStoreAuthKey,
  isAuthenticStored,
  sha256,
} from '../../ciphers/index.ts'
import type { CanonicalContext } from '../../kms/index.ts'

/** The beginning of every name in the store; 43 characters of base64url follow. */
const PREFIX = 'eks1/'
const ACTIVE = 'edge-kms/v1/active'
const SLOT = 'edge-kms/v1/shared-slot'
const EPOCH = 'edge-kms/v1/shared-epoch'

/** Bytes of each MAC. */
export const MAC_BYTES = 32

/**
 * Names and MACs of what one partition keeps in a store. Without a key (`trustedStore`) it makes no MACs, and names
 * are plain hashes: anyone who can read the store can try contexts against them.
 */
export class StoreAuth {
  readonly #bytes: Bytes | undefined
  readonly #partition: Bytes
  // Only what is finished is kept: no request may wait for what another one began.
  #key: CryptoKey | undefined
  #partitionHash: Bytes | undefined

  constructor(partition: string, storeAuthKey: Uint8Array | undefined) {
    this.#partition = encodeUtf8(partition)
    this.#bytes = storeAuthKey && copyBytes(storeAuthKey)
  }

  /** Bytes of each MAC here. */
  get macBytes(): number {
    return this.#bytes === undefined ? 0 : MAC_BYTES
  }

  /** Returns the name of the slot of a context. It reveals nothing of the context. */
  async slotName(context: CanonicalContext): Promise<string> {
    return this.#name(SLOT, await sha256(context.bytes))
  }

  epochName(): Promise<string> {
    return this.#name(EPOCH, new Uint8Array())
  }

  /** The MAC of a pointer: W5.9. */
  pointerMac(commitment: Bytes, notAfter: Bytes): Promise<Bytes> {
    return this.#mac(ACTIVE, commitment, notAfter)
  }

  isPointer(mac: Bytes, commitment: Bytes, notAfter: Bytes): Promise<boolean> {
    return this.#isMac(mac, ACTIVE, commitment, notAfter)
  }

  /** The MAC of a whole value: it belongs under this name, and nobody took a wrap out of it. */
  valueMac(name: string, body: Bytes): Promise<Bytes> {
    return this.#mac(SLOT, encodeUtf8(name), body)
  }

  isValue(mac: Bytes, name: string, body: Bytes): Promise<boolean> {
    return this.#isMac(mac, SLOT, encodeUtf8(name), body)
  }

  async #name(label: string, id: Bytes): Promise<string> {
    const key = await this.#import()
    const partition = await this.#hashed()
    const name = `${label}-name`
    const hash =
      key === undefined
        ? await sha256(concatBytes(encodeUtf8(`${name}\0`), partition, id))
        : await authenticateStored(key, name, partition, id)
    return PREFIX + encodeBase64Url(hash)
  }

  async #mac(label: string, ...parts: readonly Bytes[]): Promise<Bytes> {
    const key = await this.#import()
    if (key === undefined) return new Uint8Array()
    return authenticateStored(key, label, await this.#hashed(), ...parts)
  }

  async #isMac(mac: Bytes, label: string, ...parts: readonly Bytes[]): Promise<boolean> {
    const key = await this.#import()
    if (key === undefined) return mac.length === 0
    return isAuthenticStored(key, mac, label, await this.#hashed(), ...parts)
  }

  async #import(): Promise<CryptoKey | undefined> {
    if (this.#bytes === undefined) return undefined
    return (this.#key ??= await importStoreAuthKey(this.#bytes))
  }

  async #hashed(): Promise<Bytes> {
    return (this.#partitionHash ??= await sha256(this.#partition))
  }
}
