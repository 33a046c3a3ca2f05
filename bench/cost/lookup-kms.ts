import { type KeyManagementService, KmsError, SecretBytes } from '../../src/index.ts'
import { newKms } from '../fixtures.ts'

/**
 * Returns a KMS whose wraps are numbers of data keys that it remembers: a million operations with real wrapping would
 * take hours and cost the same calls.
 */
export function newLookupKms(): KeyManagementService {
  const local = newKms()
  const kept = new Map<number, Uint8Array>()
  const numberOf = (wrapped: Uint8Array): number =>
    new DataView(wrapped.slice().buffer).getUint32(0)
  return new Proxy(local, {
    get(target, name): unknown {
      if (name === 'generateDataKey') return generate
      if (name === 'unwrapDataKey') return unwrap
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })

  function generate(): ReturnType<KeyManagementService['generateDataKey']> {
    const dek = crypto.getRandomValues(new Uint8Array(32))
    const wrapped = new Uint8Array(44)
    new DataView(wrapped.buffer).setUint32(0, kept.size)
    kept.set(kept.size, dek)
    const wrap = { provider: 'local', kekId: 'app', kekVersion: '1', wrapped }
    return Promise.resolve({ plaintext: SecretBytes.copy(dek), wraps: [wrap] })
  }

  function unwrap(
    wraps: Parameters<KeyManagementService['unwrapDataKey']>[0],
  ): ReturnType<KeyManagementService['unwrapDataKey']> {
    const by = wraps.at(0)
    const dek = by && kept.get(numberOf(by.wrapped))
    if (by === undefined || dek === undefined)
      return Promise.reject(new KmsError('ERR_DECRYPT_FAILED'))
    return Promise.resolve({ plaintext: SecretBytes.copy(dek), by, current: true })
  }
}
