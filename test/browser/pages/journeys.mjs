/** The guide's code for pages, for the cases to call. */
import { createLocalKms } from 'edge-kms/local'
import { EnvelopeCipher, isKmsError } from 'edge-kms'
// @ts-expect-error -- a block of the guide, made beside this file in the scratch folder
import { documentCipher } from './guide/documents.ts'
// @ts-expect-error -- a block of the guide, made beside this file in the scratch folder
import * as notes from './guide/notes.ts'
// @ts-expect-error -- a block of the guide, made beside this file in the scratch folder
import { passphraseCipher } from './guide/passphrase.ts'

/** Only plain values cross to the test: a result, or the code or name of an error. */
const plain =
  (work) =>
  async (...given) => {
    try {
      return { value: await work(...given) }
    } catch (error) {
      return { error: isKmsError(error) ? error.code : error.name, message: error.message }
    }
  }

const options = { context: { app: 'documents' }, aad: { document: '7' } }

Object.assign(globalThis, {
  saveNote: plain(notes.saveNote),
  readNote: plain(notes.readNote),
  /** The key as the guide keeps it. */
  exportKey: plain(async () => {
    const key = await new Promise((resolve, reject) => {
      const opening = indexedDB.open('notes', 1)
      opening.onerror = () => reject(new Error('the database does not open'))
      opening.onsuccess = () => {
        const asked = opening.result.transaction('keys').objectStore('keys').get('kek')
        asked.onsuccess = () => resolve(asked.result)
      }
    })
    return crypto.subtle.exportKey('raw', key)
  }),
  sealDocument: plain(async (text) => {
    const { cipher, sealedKey } = await documentCipher()
    return { sealedKey, sealed: await cipher.encryptText(text, options) }
  }),
  openDocument: plain(async ({ sealedKey, sealed }) => {
    const { cipher } = await documentCipher(sealedKey)
    return cipher.decryptText(sealed, options)
  }),
  byPassphrase: plain(async (passphrase, salt, task, text) => {
    const cipher = await passphraseCipher(passphrase, new Uint8Array(salt))
    return cipher[task](text, options)
  }),
  /** A local KEK of given bytes as a CryptoKey. */
  byKey: plain(async (raw, task, text) => {
    const bytes = new Uint8Array(raw)
    const key = await crypto.subtle.importKey('raw', bytes, 'AES-CBC', false, ['encrypt'])
    const kms = createLocalKms({ versions: [{ version: 1, key }] })
    return new EnvelopeCipher({ kms })[task](text, options)
  }),
})
