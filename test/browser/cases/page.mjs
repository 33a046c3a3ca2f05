/** Calls functions of a page by name. */
import assert from 'node:assert/strict'

/**
 * @param {import('./case.ts').Page} page
 * @param {string} name of a function that the page's script made global
 * @param {readonly unknown[]} given
 * @returns {Promise<any>}
 */
export function call(page, name, ...given) {
  return page.evaluate(({ to, args }) => Reflect.get(globalThis, to)(...args), {
    to: name,
    args: given,
  })
}

/** The value of a call that must succeed. */
export async function valueOf(page, name, ...given) {
  const answer = await call(page, name, ...given)
  assert.ok(!('error' in answer), `${name}: ${answer.error}: ${answer.message}`)
  return answer.value
}

/** The code, or the name of the error, of a call that must fail. */
export async function errorOf(page, name, ...given) {
  const answer = await call(page, name, ...given)
  assert.ok('error' in answer, `${name} did not fail`)
  return answer.error
}

/**
 * A page in a browser of its own.
 *
 * @template T
 * @param {import('./case.ts').Profile} profile
 * @param {string} url
 * @param {(page: import('./case.ts').Page, context: import('./case.ts').Context) => Promise<T>} work
 */
export async function withPage(profile, url, work) {
  const context = await profile.open()
  try {
    const page = await context.newPage()
    await page.goto(url)
    return await work(page, context)
  } finally {
    await context.close()
  }
}
