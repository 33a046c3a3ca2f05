/** The AWS Encryption SDK for Node under a raw AES key, with its four usual settings. */
import { createRequire } from 'node:module'
import { join } from 'node:path'

const library = '@aws-crypto/client-node'
const context = { tenant: 'acme' }

/** Returns the SDK, and the settings under which it runs here. */
export function openSdk() {
  const sdk = createRequire(join(import.meta.dirname, '../esdk/package.json'))(library)
  const policy = sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
  const keyring = new sdk.RawAesKeyringNode({
    keyName: 'bench',
    keyNamespace: 'bench',
    unencryptedMasterKey: crypto.getRandomValues(new Uint8Array(32)),
    wrappingSuite: sdk.RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  })
  const caching = () =>
    new sdk.NodeCachingMaterialsManager({
      backingMaterials: keyring,
      cache: sdk.getLocalCryptographicMaterialsCache(1_000),
      maxAge: 3_600_000,
      maxBytesEncrypted: Number.MAX_SAFE_INTEGER,
      maxMessagesEncrypted: 2 ** 31,
    })
  const unsigned = sdk.AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY
  return { client: sdk.buildClient(policy), keyring, caching, unsigned }
}

export async function newPeers() {
  const { client, keyring, caching, unsigned } = openSdk()
  const peer = (name, materials, cached, suite) => {
    const options = { encryptionContext: context, ...(suite && { suiteId: suite }) }
    return {
      name,
      cached,
      encrypt: async (plaintext) =>
        (
          await client.encrypt(materials, plaintext, {
            ...options,
            plaintextLength: plaintext.length,
          })
        ).result,
      decrypt: (sealed) => client.decrypt(materials, sealed),
    }
  }
  return [
    peer('AWS Encryption SDK, default', keyring, false),
    peer('AWS Encryption SDK, default, cached', caching(), true),
    peer('AWS Encryption SDK, unsigned', keyring, false, unsigned),
    peer('AWS Encryption SDK, unsigned, cached', caching(), true, unsigned),
  ]
}

/** Streams of the SDK: with its default frames, and with frames of 1 MiB. */
export async function streamPeers() {
  const { client, keyring, unsigned } = openSdk()
  const { Readable, Writable } = await import('node:stream')
  const { pipeline } = await import('node:stream/promises')
  const peer = (options) => ({
    stream: (totalBytes, piece) => () => {
      const source = Readable.from(
        (function* () {
          for (let left = totalBytes; left > 0; left -= piece.length) yield piece
        })(),
        { objectMode: false },
      )
      const sink = new Writable({
        write: (_chunk, _encoding, done) => {
          done()
        },
      })
      return pipeline(
        source,
        client.encryptStream(keyring, { encryptionContext: context, ...options }),
        sink,
      )
    },
  })
  return {
    'AWS Encryption SDK, default': peer({}),
    'AWS Encryption SDK, unsigned, frames of 1 MiB': peer({
      suiteId: unsigned,
      frameLength: 1_048_576,
    }),
  }
}
