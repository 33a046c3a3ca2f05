/** A key of the page's own, as the guide makes it: reload, restart, another profile, another platform. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { EnvelopeCipher } from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { errorOf, valueOf, withPage } from './page.mjs'

const TEXT = 'meet at nine'
const options = { context: { app: 'documents' }, aad: { document: '7' } }
const stored = (page) => page.evaluate(() => localStorage.getItem('note-a'))

/** @type {import('./case.ts').Cases} */
export const noteCases = ({ fresh, kept, site }) => {
  const url = `${site.origin}/journeys.html`
  return [
    {
      name: 'notes: encrypts, reloads, restarts the browser, decrypts',
      run: async () => {
        const profile = kept()
        await withPage(profile, url, async (page) => {
          assert.equal(await valueOf(page, 'readNote', 'a'), undefined)
          await valueOf(page, 'saveNote', 'a', TEXT)
          const sealed = await stored(page)
          assert.match(sealed ?? '', /^ek1\./)
          await page.reload()
          assert.equal(await valueOf(page, 'readNote', 'a'), TEXT)
        })
        await withPage(profile, url, async (page) => {
          assert.equal(await valueOf(page, 'readNote', 'a'), TEXT)
        })
      },
    },
    {
      name: 'notes: no script can export the key',
      run: () =>
        withPage(fresh(), url, async (page) => {
          await valueOf(page, 'saveNote', 'a', TEXT)
          assert.equal(await errorOf(page, 'exportKey'), 'InvalidAccessError')
        }),
    },
    {
      name: 'notes: two tabs that start at once keep one key',
      run: () =>
        withPage(fresh(), url, async (page, context) => {
          const other = await context.newPage()
          await other.goto(url)
          await Promise.all([
            valueOf(page, 'saveNote', 'a', 'first'),
            valueOf(other, 'saveNote', 'b', 'second'),
          ])
          assert.equal(await valueOf(page, 'readNote', 'b'), 'second')
          assert.equal(await valueOf(other, 'readNote', 'a'), 'first')
        }),
    },
    {
      name: 'notes: another profile, or another note, opens nothing',
      run: async () => {
        const sealed = await withPage(fresh(), url, async (page) => {
          await valueOf(page, 'saveNote', 'a', TEXT)
          await page.evaluate(() =>
            localStorage.setItem('note-b', `${localStorage.getItem('note-a')}`),
          )
          assert.equal(await errorOf(page, 'readNote', 'b'), 'ERR_DECRYPT_FAILED')
          return stored(page)
        })
        await withPage(fresh(), url, async (page) => {
          await page.evaluate((text) => localStorage.setItem('note-a', `${text}`), sealed)
          assert.equal(await errorOf(page, 'readNote', 'a'), 'ERR_DECRYPT_FAILED')
        })
      },
    },
    {
      name: 'passphrase: opens on another profile, and not with another passphrase',
      run: async () => {
        const salt = [...randomBytes(16)]
        const seal = (page) =>
          valueOf(page, 'byPassphrase', 'correct horse', salt, 'encryptText', TEXT)
        const sealed = await withPage(fresh(), url, seal)
        await withPage(fresh(), url, async (page) => {
          const open = ['byPassphrase', 'correct horse', salt, 'decryptText', sealed]
          assert.equal(await valueOf(page, ...open), TEXT)
          const wrong = ['byPassphrase', 'wrong horse', salt, 'decryptText', sealed]
          assert.equal(await errorOf(page, ...wrong), 'ERR_DECRYPT_FAILED')
        })
      },
    },
    {
      name: 'platforms: Node and Chromium open what the other sealed, under one key',
      run: () =>
        withPage(fresh(), url, async (page) => {
          const key = new Uint8Array(randomBytes(32))
          const node = new EnvelopeCipher({
            kms: createLocalKms({ versions: [{ version: 1, key }] }),
          })
          const ofPage = await valueOf(page, 'byKey', [...key], 'encryptText', TEXT)
          assert.equal(await node.decryptText(ofPage, options), TEXT)
          const ofNode = await node.encryptText(TEXT, options)
          assert.equal(await valueOf(page, 'byKey', [...key], 'decryptText', ofNode), TEXT)
        }),
    },
  ]
}
