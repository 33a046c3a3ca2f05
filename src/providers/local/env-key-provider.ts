import {
  type BrowserRule,
  deniedVariables,
  plainOptions,
  refuseBrowser,
  wrongOption,
} from '../../checks/index.ts'
import { KmsError } from '../../errors.ts'
import { localKeyNames } from '../../kms/index.ts'
import type { LocalKeyVersion } from './local-key-ring.ts'
import { LocalKms, type LocalKmsOptions } from './local-kms.ts'

/** Options of {@link EnvKeyProvider}. */
export interface EnvKeyProviderOptions extends Omit<LocalKmsOptions, 'versions'>, BrowserRule {
  /** `EDGE_KMS_KEY` by default: the variables are `EDGE_KMS_KEY_V1`, `EDGE_KMS_KEY_V2`, … */
  readonly prefix?: string
}

/**
 * A local KMS whose keys come from environment variables or Worker secrets: `EDGE_KMS_KEY_V1`, `_V2`, … each the
 * standard base64 of 32 random bytes. Versions may have gaps; the highest is current. `EDGE_KMS_KEY_RETIRED` lists
 * versions that still unwrap but never wrap: `1,2`. In an environment that cannot list its names, such as
 * `denoEnv()`, it looks for versions 1 to 64.
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { EnvKeyProvider } from 'edge-kms/local'
 *
 * interface Env {
 *   readonly EDGE_KMS_KEY_V1: string
 * }
 * export default {
 *   async fetch(_request: Request, env: Env): Promise<Response> {
 *     const cipher = new EnvelopeCipher({ kms: new EnvKeyProvider(env) })
 *     return new Response(await cipher.encryptText('4111 1111', { context: { tenant: 'acme' } }))
 *   },
 * }
 * ```
 */
export class EnvKeyProvider extends LocalKms {
  /**
   * @param env - an object with the variables, e.g. `process.env`, or a Worker's `env`
   * @throws KmsError `ERR_KMS_CONFIG`
   */
  constructor(env: object, options: EnvKeyProviderOptions = {}) {
    const { prefix = 'EDGE_KMS_KEY', dangerouslyAllowBrowser, ...others } = plainOptions(options)
    // A browser has no environment: these variables were put into the page by its build.
    refuseBrowser(dangerouslyAllowBrowser)
    super({ ...others, versions: readVersions(env, prefix) })
  }
}

function readVersions(given: object, prefix: string): LocalKeyVersion[] {
  if (Object(given) !== given) throw wrongOption('env', 'an object with the variables', given)
  const retired = readRetired(readable(given, `${prefix}_RETIRED`), prefix)
  const versions: LocalKeyVersion[] = []
  const texts = new Set<string>()
  for (const name of localKeyNames(given, prefix)) {
    const digits = name.slice(prefix.length + 2)
    const key = readable(given, name)
    const isThere = key !== undefined || Object.hasOwn(given, name)
    if (!isThere || !/^\d/.test(digits)) continue
    // A typo such as _V01 must not make a key vanish in silence.
    if (!/^[1-9]\d*$/.test(digits)) throw config(`${prefix}_V must be followed by a version number`)
    if (typeof key !== 'string') throw config(`${name} must be a string`)
    const version = Number(digits)
    const text = key.trim()
    // A rotation to the same key would change nothing, and look as if it had.
    if (texts.has(text)) throw config(`${name} has the key of another version: make a new one`)
    texts.add(text)
    versions.push({ version, key, state: retired.has(version) ? 'retired' : 'enabled' })
  }
  if (versions.length === 0) {
    const denied = deniedVariables(given, [`${prefix}_V1`])
    throw config(`no key is set: ${prefix}_V1 is the base64 of 32 random bytes${denied}`)
  }
  for (const version of retired) {
    if (!versions.some((known) => known.version === version)) {
      throw config(`${prefix}_RETIRED names version ${String(version)}, which is not set`)
    }
  }
  return versions
}

/** A variable that may not be read counts as not set. */
function readable(env: object, name: string): unknown {
  try {
    return Reflect.get(env, name)
  } catch {
    return undefined
  }
}

function readRetired(list: unknown, prefix: string): ReadonlySet<number> {
  if (list === undefined || list === '') return new Set()
  if (typeof list === 'string' && /^[1-9]\d*(?:\s*,\s*[1-9]\d*)*$/.test(list.trim())) {
    return new Set(list.split(',').map(Number))
  }
  throw config(`${prefix}_RETIRED must be a list of versions, such as 1,2`)
}

function config(message: string): KmsError {
  return new KmsError('ERR_KMS_CONFIG', { message, provider: 'local' })
}
