/** @47ng/cloak: text under one key, as its integration for Prisma uses it. */

const library = '@47ng/cloak'

export async function newPeers() {
  const { default: whole, ...named } = await import(library)
  const { decryptString, encryptString, generateKey, parseKey } = whole ?? named
  const text = generateKey()
  const keys = {
    encrypt: await parseKey(text, 'encrypt'),
    decrypt: await parseKey(text, 'decrypt'),
  }
  const decoder = new TextDecoder('latin1')
  const texts = new WeakMap()
  /** The string is made once: the library takes strings only. */
  const textOf = (plaintext) => {
    if (!texts.has(plaintext)) texts.set(plaintext, decoder.decode(plaintext))
    return texts.get(plaintext)
  }
  return [
    {
      name: '@47ng/cloak',
      cached: true,
      encrypt: (plaintext) => encryptString(textOf(plaintext), keys.encrypt),
      decrypt: (sealed) => decryptString(sealed, keys.decrypt),
    },
  ]
}
