import { wrongOption } from '../../checks/index.ts'

/** A project's id may have a domain before it; every character that a name may have is safe in a URL's path. */
const KEY =
  /^(projects\/(?:[a-z0-9.-]{1,63}:)?[a-z0-9-]{1,63}\/locations\/[a-z0-9-]{1,63})\/keyRings\/[\w-]{1,63}\/cryptoKeys\/[\w-]{1,63}$/
const VERSION = /^[1-9]\d{0,9}$/
const MAX_VERSION = 2 ** 31 - 1
const BEFORE_VERSION = '/cryptoKeyVersions/'

/**
 * Checks the resource name of a key, without a version.
 *
 * @returns the name of its location, `projects/…/locations/…`
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function locationOf(keyName: string): string {
  const location = typeof keyName === 'string' ? KEY.exec(keyName)?.[1] : undefined
  if (location !== undefined) return location
  const form = 'projects/…/locations/…/keyRings/…/cryptoKeys/…, without a version'
  throw wrongOption('keyName', form, keyName)
}

/** Returns whether a text is the number of a version: decimal 1 to 2^31 - 1, without leading zeros (W3.21, W3.34). */
export function isVersion(text: string): boolean {
  return VERSION.test(text) && Number(text) <= MAX_VERSION
}

/** The number of a version of this key in its resource name; `undefined` for any other text. */
export function versionOfKey(keyName: string, versionName: unknown): string | undefined {
  if (typeof versionName !== 'string') return undefined
  const before = keyName + BEFORE_VERSION
  const version = versionName.slice(before.length)
  return versionName.startsWith(before) && isVersion(version) ? version : undefined
}

/** The resource name of a version. */
export function versionName(keyName: string, version: string): string {
  return keyName + BEFORE_VERSION + version
}
