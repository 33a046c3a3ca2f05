import { inflateSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { COBBLESTONE_256, openChunked } from '../../src/ciphers/index.ts'
import { codeOfAsync, fromHex } from './hex.ts'
import { readVectors, testsOf, type VectorTest } from './wycheproof.ts'

interface ChunkedTest extends VectorTest {
  readonly key: string
  readonly ctx: string
  readonly ct: string
}

// R5 asks for 100 % of these vectors: a PRK whose length is not that of the suite is refused.
it('W4.11: refuses a key of another length than 32 bytes', async () => {
  for (const test of testsOf(
    readVectors<object, ChunkedTest>('c2sp_chunked_encryption_aes_256_gcm'),
  )) {
    if (!test.flags.includes('InvalidKeySize')) continue
    const message = new Uint8Array(inflateSync(fromHex(test.ct)))
    const algorithm = { name: 'HMAC', hash: 'SHA-512' }
    const prk = await crypto.subtle.importKey('raw', fromHex(test.key), algorithm, false, ['sign'])
    const opening = openChunked(prk, message.slice(0, 56), fromHex(test.ctx), COBBLESTONE_256)
    expect(await codeOfAsync(() => opening), String(test.tcId)).toBe('ERR_DECRYPT_FAILED')
  }
})
