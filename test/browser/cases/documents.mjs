/** Keys that a server hands out, and work that stays on the server: the guide's route handlers. */
import assert from 'node:assert/strict'
import { errorOf, valueOf, withPage } from './page.mjs'

const TEXT = 'total: 4111'

/** @type {import('./case.ts').Cases} */
export const documentCases = ({ fresh, kept, site }) => {
  const { origin, session } = site
  const url = `${origin}/journeys.html`
  const logIn = (context) => context.addCookies([{ name: 'session', value: session, url: origin }])
  const post = (path, body, cookie = `session=${session}`) =>
    fetch(origin + path, { method: 'POST', body, headers: { cookie } })
  const note = (task, text) => JSON.stringify({ task, text })

  return [
    {
      name: 'documents: a key of the server encrypts, and opens again after a restart',
      run: async () => {
        const profile = kept()
        const before = await withPage(profile, url, async (page, context) => {
          await logIn(context)
          const made = await valueOf(page, 'sealDocument', TEXT)
          await page.reload()
          assert.equal(await valueOf(page, 'openDocument', made), TEXT)
          return made
        })
        await withPage(profile, url, async (page, context) => {
          await logIn(context)
          assert.equal(await valueOf(page, 'openDocument', before), TEXT)
          const other = await valueOf(page, 'sealDocument', TEXT)
          const mixed = { ...before, sealedKey: other.sealedKey }
          assert.equal(await errorOf(page, 'openDocument', mixed), 'ERR_DECRYPT_FAILED')
        })
      },
    },
    {
      name: 'documents: a stranger gets no key',
      run: () =>
        withPage(fresh(), url, async (page) => {
          assert.equal(await errorOf(page, 'sealDocument', TEXT), 'Error')
          assert.equal((await post('/api/key', '', '')).status, 401)
          assert.equal((await post('/api/key', '', 'session=wrong')).status, 401)
          assert.equal((await post('/api/notes', note('encrypt', TEXT), '')).status, 401)
        }),
    },
    {
      name: 'documents: the routes refuse what they did not seal, and caches keep nothing',
      run: async () => {
        const made = await post('/api/key', '')
        assert.equal(made.headers.get('cache-control'), 'no-store')
        const { sealedKey } = await made.json()
        assert.equal((await post('/api/key', sealedKey)).status, 200)
        for (const wrong of ['ek1.', 'no envelope', `${sealedKey.slice(0, -2)}AA`])
          assert.equal((await post('/api/key', wrong)).status, 403, wrong)
        // A sealed key is not a note: the two routes bind different contexts.
        assert.equal((await post('/api/notes', note('decrypt', sealedKey))).status, 422)
      },
    },
    {
      name: 'documents: a page encrypts and decrypts through the server',
      run: () =>
        withPage(fresh(), url, async (page, context) => {
          await logIn(context)
          const through = (task, text) =>
            page.evaluate(
              async (body) => (await fetch('/api/notes', { method: 'POST', body })).text(),
              note(task, text),
            )
          const sealed = await through('encrypt', TEXT)
          assert.match(sealed, /^ek1\./)
          assert.equal(await through('decrypt', sealed), TEXT)
        }),
    },
  ]
}
