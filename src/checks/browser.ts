import { checkFlags } from './option-kinds.ts'
import { optionError } from './options.ts'

/** Says whether a provider with credentials may run in a browser. */
export interface BrowserRule {
  /**
   * Allows the provider in a browser; `false` by default. There, every user of the page can read its credentials, and
   * so can every script on the page. Set it only if all of them may use the key without limit.
   */
  readonly dangerouslyAllowBrowser?: boolean
}

const has = (name: string): boolean => Reflect.get(globalThis, name) !== undefined

/**
 * Returns whether this code runs in a browser: in a page, or in one of its workers.
 *
 * A page has `window` and `document`, and so do jsdom and windows of Electron. Every worker of a browser has
 * `importScripts`; Workers of Cloudflare, Deno, Bun and Node lack it.
 */
function isBrowser(): boolean {
  return (has('window') && has('document')) || has('importScripts')
}

/**
 * Refuses credentials in a browser, unless the caller allows them there.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function refuseBrowser(dangerouslyAllowBrowser: boolean | undefined): void {
  checkFlags({ dangerouslyAllowBrowser })
  if (dangerouslyAllowBrowser === true || !isBrowser()) return
  const why = 'every user of the page can read them. Keep them on your server'
  throw optionError(
    'dangerouslyAllowBrowser',
    `must be true to use credentials in a browser: ${why}`,
  )
}
