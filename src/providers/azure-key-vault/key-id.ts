import { optionError, wrongOption } from '../../checks/index.ts'
import { AZURE_CLOUDS } from '../../credentials/azure/index.ts'
import { checkEndpoint, type EndpointRules } from '../../http/index.ts'

/** A key, as the configuration names it. */
export interface ConfiguredKey {
  /** `https://host/keys/name`, host in lower case: what wraps carry, and what every URL begins with. */
  readonly keyId: string
  /** The resource of tokens, e.g. `https://vault.azure.net`. */
  readonly resource: string
  readonly isManagedHsm: boolean
}

/** Options that name a key, and the resource of its tokens. */
export interface KeyPlace extends EndpointRules {
  /**
   * `https://<vault>.vault.azure.net/keys/<name>` or `https://<hsm>.managedhsm.azure.net/keys/<name>`,
   * in any cloud; without a version.
   */
  readonly keyId: string
  /**
   * The resource of tokens, if the host is of a cloud that this package does not know, e.g.
   * `https://vault.example.test`. The key's host must be below it.
   */
  readonly resource?: string
}

/** Names of vaults and HSMs: one label below the cloud's suffix. */
const LABEL = /^[a-z0-9](?:-?[a-z0-9]){2,23}$/
const FORM = 'https://<vault>.vault.azure.net/keys/<name>, without a version'
const PATH = /^\/keys\/[0-9A-Za-z-]{1,127}$/
const KID = /^(.*)\/([0-9a-f]{32})$/

/**
 * Checks a configured key against the grammar of Azure. Everything that is sent goes below this URL,
 * and of an envelope only a version ever comes behind it (W3.24).
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function configuredKey(place: KeyPlace): ConfiguredKey {
  if (typeof place.keyId !== 'string') throw wrongOption('keyId', FORM, place.keyId)
  const { origin, pathname, hostname, protocol } = new URL(checkEndpoint(place.keyId, place))
  // As it is written, too: a URL takes /keys/a/../b for b.
  const isWritten = place.keyId.replace(/\/$/, '').endsWith(pathname)
  if (!PATH.test(pathname) || !isWritten || place.keyId.includes('..'))
    throw wrongOption('keyId', FORM)
  const resource = resourceOf(hostname, protocol === 'http:', place.resource)
  return {
    keyId: origin + pathname,
    resource,
    isManagedHsm: new URL(resource).hostname.startsWith('managedhsm.'),
  }
}

function resourceOf(hostname: string, isLoopback: boolean, given: string | undefined): string {
  const known = Object.values(AZURE_CLOUDS)
    .flatMap(({ suffixes }) => suffixes)
    .find((suffix) => isBelow(hostname, suffix))
  if (given === undefined) {
    if (known === undefined)
      throw optionError('keyId', `is at ${hostname}, which is in no known cloud: set resource`)
    return `https://${known}`
  }
  const resource = checkEndpoint(given, {})
  const { hostname: above, origin } = new URL(resource)
  if (resource !== origin)
    throw optionError('resource', 'must be an origin, e.g. https://vault.azure.net')
  // A token for a broader resource would open more than the host that it is sent to.
  if (known !== undefined ? above !== known : !isLoopback && !isBelow(hostname, above))
    throw optionError(
      'resource',
      `is ${above}, which does not belong to the host of keyId, ${hostname}`,
    )
  return resource
}

function isBelow(hostname: string, suffix: string): boolean {
  return hostname.endsWith(`.${suffix}`) && LABEL.test(hostname.slice(0, -suffix.length - 1))
}

/**
 * The version that an answer names, or `undefined` where it names another key. Azure's identifiers
 * are compared without case ("Object identifiers").
 */
export function versionIn(kid: string, keyId: string): string | undefined {
  const [, key, version] = KID.exec(kid.toLowerCase()) ?? []
  return key === keyId.toLowerCase() ? version : undefined
}

/** Whether a text is a key version: 32 hex digits, which is all that may come behind a key's URL. */
export function isVersion(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text)
}
