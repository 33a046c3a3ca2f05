/** @noble/ciphers: AES-256-GCM in JavaScript, without WebCrypto and without an envelope. */

const library = '@noble/ciphers/aes.js'

export async function newPeers() {
  const { gcm } = await import(library)
  const key = crypto.getRandomValues(new Uint8Array(32))
  const aad = new TextEncoder().encode('a record of users, column ssn, row 42')
  const seal = (plaintext) => {
    const nonce = crypto.getRandomValues(new Uint8Array(12))
    const sealed = gcm(key, nonce, aad).encrypt(plaintext)
    const out = new Uint8Array(12 + sealed.length)
    out.set(nonce)
    out.set(sealed, 12)
    return out
  }
  const open = (sealed) => gcm(key, sealed.subarray(0, 12), aad).decrypt(sealed.subarray(12))
  return [
    {
      name: '@noble/ciphers',
      cached: true,
      encrypt: async (plaintext) => seal(plaintext),
      decrypt: async (sealed) => open(sealed),
    },
  ]
}
