import { type Bytes, concatBytes, encodeU64, encodeUtf8 } from '../bytes/index.ts'
import type { SecretBytes } from '../kms/index.ts'
import { sha256 } from './digest.ts'
import { importXaesKey, type XaesKey } from './xaes.ts'

/** The facts that a data key is bound to: section 2 of the wire format. */
export interface DataKeyBinding {
  readonly salt: Bytes
  readonly createdAtMs: number
  readonly flags: number
  /** ctx(context). */
  readonly context: Bytes
  /** ctx(stored), or the empty map's encoding. */
  readonly stored: Bytes
}

/** The keys of one DEK, not extractable, and its commitment. */
export interface DerivedKeys {
  /** XAES-256-GCM: a record is sealed under a subkey of it. */
  readonly recordKey: XaesKey
  /** HMAC-SHA-512: the PRK of the stream's own HKDF-Expand. */
  readonly streamKey: CryptoKey
  readonly commitment: Bytes
}

const LABEL = 'edge-kms/v1/data-key'

/** The HKDF info. Contexts are hashed because some runtimes refuse an info over 1,024 bytes. */
async function dataKeyInfo(binding: DataKeyBinding): Promise<Bytes> {
  const [context, stored] = await Promise.all([sha256(binding.context), sha256(binding.stored)])
  const zero = new Uint8Array(1)
  return concatBytes(
    encodeUtf8(LABEL),
    zero,
    encodeU64(binding.createdAtMs),
    context,
    new Uint8Array([binding.flags]),
    stored,
  ) // W2.4
}

/**
 * HKDF-SHA-512 (RFC 5869) over the DEK: 96 bytes for recordKey, streamKey and commitment. The raw
 * output is wiped before this returns.
 */
export async function deriveDataKey(
  dek: SecretBytes,
  binding: DataKeyBinding,
): Promise<DerivedKeys> {
  const { subtle } = crypto
  // The DEK is copied into the key at call time, before the caller can dispose it.
  const importing = subtle.importKey('raw', dek.expose(), 'HKDF', false, ['deriveBits'])
  const [ikm, info] = await Promise.all([importing, dataKeyInfo(binding)])
  const okm = new Uint8Array(
    await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-512', salt: binding.salt, info }, ikm, 768),
  )
  try {
    // W2.5
    const [recordKey, streamKey] = await Promise.all([
      importXaesKey(okm.subarray(0, 32)),
      subtle.importKey('raw', okm.subarray(32, 64), { name: 'HMAC', hash: 'SHA-512' }, false, [
        'sign',
      ]),
    ])
    return { recordKey, streamKey, commitment: okm.slice(64, 96) }
  } finally {
    okm.fill(0)
  }
}
