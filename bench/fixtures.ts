import { recordAad } from '../src/ciphers/index.ts'
import { EnvelopeCipher, type KeyManagementService } from '../src/index.ts'
import { createLocalKms } from '../src/providers/local/index.ts'
import type { Bytes } from '../src/bytes/index.ts'

interface Maps {
  readonly context: Readonly<Record<string, string>>
  readonly aad: Readonly<Record<string, string>>
}

/** A new object for each call, as callers make them; always equal, like the floor's AAD. */
export const newOptions = (): Maps => ({
  context: { tenant: 'acme' },
  aad: { table: 'users', column: 'ssn', row: '42' },
})

/** The same AAD that the library binds, made once: the floor must not pay for encoding it. */
export const aad: Bytes = recordAad(newOptions().aad)

export function newKms(): KeyManagementService {
  return createLocalKms({ versions: [{ version: 1, key: randomBytes(32) }] })
}

/** One data key for the whole run: what is measured is the cached path. */
export function newCipher(kms: KeyManagementService = newKms()): EnvelopeCipher {
  return new EnvelopeCipher({
    kms,
    cache: { ttlMs: 3_600_000 },
    encryptForMs: 86_400_000,
    maxRecordBytes: 2 ** 25,
  })
}

export async function newAesKey(): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', randomBytes(32), 'AES-GCM', false, ['encrypt', 'decrypt'])
}

/** More than 64 KiB at once is refused by `getRandomValues`; a pattern will do for plaintext. */
export function pattern(length: number): Bytes {
  return new Uint8Array(length).map((_, i) => i % 251)
}

function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length))
}
