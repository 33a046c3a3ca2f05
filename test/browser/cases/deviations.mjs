/** Deviations of a browser: what it refuses, and what Chromium lacks. A deviation that ends fails its case. */
import assert from 'node:assert/strict'
import { call, withPage } from './page.mjs'

const REFUSED = /^ERR_KMS_CONFIG: dangerouslyAllowBrowser must be true/
const CREDENTIALS = [
  ...['aws-kms', 'gcp-kms', 'azure-key-vault', 'vault-transit'],
  ...['a configuration', 'EnvKeyProvider'],
]

function checkAnswers(answers) {
  for (const name of CREDENTIALS) {
    assert.match(answers[name].bare, REFUSED, name)
    assert.equal(answers[name].allowed, 'made', name)
  }
  assert.equal(answers.local.bare, 'made')
}

/** Sends 300 kB to the gateway and back. In a page, only with what the page has. */
async function thereAndBack() {
  const bytes = new Uint8Array(300_000).map((_, i) => i % 251)
  const headers = { 'Edge-Kms-Context': '{"tenant":"acme"}' }
  const post = async (path, body) => {
    const response = await fetch(path, { method: 'POST', headers, body })
    if (!response.ok) throw new Error(`${path} answered ${response.status}`)
    return response.blob()
  }
  const sealed = await post('/v1/encrypt', new Blob([bytes]))
  const opened = new Uint8Array(await (await post('/v1/decrypt', sealed)).arrayBuffer())
  return { larger: sealed.size > bytes.length, same: opened.every((byte, i) => byte === bytes[i]) }
}

/** Uploads a stream: the error's text, or the status. */
async function uploadStream() {
  const body = new Blob(['4111 1111']).stream()
  const headers = { 'Edge-Kms-Context': '{"tenant":"acme"}' }
  const options = { method: 'POST', headers, body, duplex: 'half' }
  return fetch('/v1/encrypt', options).then(
    ({ status }) => String(status),
    (/** @type {unknown} */ error) => String(error),
  )
}

/** Why a stream failed, by a Response, a reader and a pipe. */
async function errorsOfStream() {
  const failing = () =>
    new ReadableStream({ start: (controller) => controller.error(new RangeError('cut')) })
  const said = (work) =>
    work.then(
      () => 'no error',
      (/** @type {unknown} */ error) => String(error).split(':')[0],
    )
  return {
    response: await said(new Response(failing()).arrayBuffer()),
    reader: await said(failing().getReader().read()),
    pipe: await said(failing().pipeTo(new WritableStream())),
  }
}

const aes192 = () =>
  crypto.subtle.generateKey({ name: 'AES-GCM', length: 192 }, false, ['encrypt']).then(
    () => 'a key',
    (/** @type {unknown} */ error) => String(error).split(':')[0],
  )

/** @type {import('./case.ts').Cases} */
export const deviationCases = ({ fresh, site }) => {
  const inPage = (work) => withPage(fresh(), `${site.origin}/refusals.html`, work)
  return [
    {
      name: 'browser: a page refuses credentials of a KMS unless they are allowed',
      run: () => inPage(async (page) => checkAnswers(await call(page, 'answers'))),
    },
    ...['Worker', 'SharedWorker', 'ServiceWorker'].map((kind) => ({
      name: `browser: so does a ${kind}`,
      run: () => inPage(async (page) => checkAnswers(await call(page, `answersOf${kind}`))),
    })),
    {
      name: 'browser: a Blob goes through the gateway and back',
      run: () =>
        inPage(async (page) => {
          assert.deepEqual(await page.evaluate(thereAndBack), { larger: true, same: true })
        }),
    },
    {
      name: 'deviation: no upload of a stream over HTTP/1.1',
      run: () =>
        inPage(async (page) => {
          assert.equal(await page.evaluate(uploadStream), 'TypeError: Failed to fetch')
        }),
    },
    {
      name: 'deviation: a Response hides the error of its stream, and a reader does not',
      run: () =>
        inPage(async (page) => {
          const expected = { response: 'TypeError', reader: 'RangeError', pipe: 'RangeError' }
          assert.deepEqual(await page.evaluate(errorsOfStream), expected)
        }),
    },
    {
      name: 'deviation: no AES with 192 bits, which the library does not use',
      run: () =>
        inPage(async (page) => {
          assert.equal(await page.evaluate(aes192), 'OperationError')
        }),
    },
  ]
}
