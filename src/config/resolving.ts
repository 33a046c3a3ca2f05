import { optionError, placed } from '../checks/index.ts'
import type { AwsSigner } from '../credentials/aws/index.ts'
import type { KeyManagementService } from '../kms/index.ts'
import type { GcpKmsKeyOptions } from '../providers/gcp-kms/index.ts'
import { isKmsError, type KmsError } from '../errors.ts'
import type { Network, Runtime } from '../ports/index.ts'
import { type CheckedText, type ConfigResolver, Reference, type Resolved } from './references.ts'

/** Clock, random numbers and network for everything that a configuration makes. */
export interface ConfigPorts {
  readonly runtime?: Runtime | undefined
  readonly network?: Network | undefined
  /** Signs all requests to AWS; by default the network's `awsSigner`, else aws4fetch. */
  readonly signer?: AwsSigner | undefined
  /**
   * Makes the KMS of `provider: 'google-cloud-kms'`:
   * `(options) => createGoogleCloudKms({ ...options, client: new KeyManagementServiceClient() })`.
   */
  readonly googleCloudKms?: GoogleCloudKmsMaker | undefined
}

/** Makes a KMS over Google's own client, because a configuration cannot hold a client. */
export type GoogleCloudKmsMaker = (
  options: GcpKmsKeyOptions & { readonly timeoutMs?: number },
) => KeyManagementService

/** Tools of the builders. */
export class Resolving {
  readonly ports: { readonly runtime?: Runtime; readonly network?: Network }
  /** For what signs requests to AWS. */
  readonly signing: { readonly signer?: AwsSigner }
  readonly clients: Pick<ConfigPorts, 'googleCloudKms'>
  readonly #resolve: ConfigResolver | undefined
  readonly #place: string

  /** @param place - where in the configuration all paths begin; empty: at its top */
  constructor(
    resolve: ConfigResolver | undefined,
    { runtime, network, signer, googleCloudKms }: ConfigPorts,
    place = '',
  ) {
    this.#resolve = resolve
    this.ports = { ...(runtime && { runtime }), ...(network && { network }) }
    this.signing = { ...(signer && { signer }) }
    this.clients = { googleCloudKms }
    this.#place = place
  }

  /**
   * Resolves every reference in a checked configuration, now.
   *
   * @throws KmsError `ERR_KMS_CONFIG` with the path and the name of the variable or file, without values
   */
  all<T>(value: T, path: string): Resolved<T> {
    if (value instanceof Reference) return this.#one(value, path) as Resolved<T>
    if (Array.isArray(value))
      return (value as readonly unknown[]).map((one, i) =>
        this.all(one, below(path, String(i))),
      ) as Resolved<T>
    if (typeof value !== 'object' || value === null) return value as Resolved<T>
    const entries = Object.entries(value as Readonly<Record<string, unknown>>)
      .filter(([, one]) => one !== undefined)
      .map(([name, one]) => [name, this.all(one, below(path, name))])
    return Object.fromEntries(entries) as Resolved<T>
  }

  /**
   * Makes a part of the configuration; the errors of its options get their whole path.
   *
   * @throws KmsError `ERR_KMS_CONFIG`
   */
  within<T>(path: string, make: () => T): T {
    const place = this.#at(path)
    try {
      return make()
    } catch (error) {
      // An error from further inside has its path already.
      throw isKmsError(error, 'ERR_KMS_CONFIG') ? placed(place, error) : error
    }
  }

  /** Returns the same for a part of the configuration. */
  below(path: string): Resolving {
    return new Resolving(
      this.#resolve,
      { ...this.ports, ...this.signing, ...this.clients },
      this.#at(path),
    )
  }

  /**
   * Returns the variables of these names that are set.
   *
   * @throws KmsError `ERR_KMS_CONFIG` without `resolve`
   */
  variables(names: readonly string[]): Readonly<Record<string, string>> {
    const resolve = this.#resolve
    if (resolve === undefined)
      throw this.#error(
        'provider',
        'reads variables: give createKms a `resolve` option that resolves them',
      )
    const valueOf = (env: string): string | undefined => {
      try {
        return resolve({ env })
      } catch {
        return undefined // Its message may quote a secret.
      }
    }
    const set = names.flatMap((name) => {
      const value = valueOf(name)
      return value === undefined || value === '' ? [] : [[name, value] as const]
    })
    return Object.fromEntries(set)
  }

  /** A text that is asked for anew at each use: a token that somebody else renews. */
  later(value: CheckedText, path: string): () => Promise<string> {
    return async () => Promise.resolve(this.all(value, path)).then((text) => text.trim())
  }

  #at(path: string): string {
    return below(this.#place, path)
  }

  #one({ to }: Reference, path: string): string {
    const resolve = this.#resolve
    if (resolve === undefined)
      throw this.#error(path, 'is a reference: give createKms a `resolve` option that resolves it')
    let text: string | undefined
    try {
      text = resolve(to)
    } catch {
      // Its message may quote a path or a secret.
      text = undefined
    }
    if (typeof text === 'string' && text !== '') return text
    throw this.#error(path, `refers to ${nameOf(to)}, which is not set or empty`)
  }

  #error(path: string, says: string): KmsError {
    return placed(this.#place, optionError(path, says))
  }
}

/** Returns how an error names the target of a reference. A text that does not look like a name may be a secret. */
function nameOf(to: Reference['to']): string {
  if ('env' in to)
    return /^[A-Z_][A-Z0-9_]{0,127}$/.test(to.env)
      ? `the variable ${to.env}`
      : 'a variable (only a name in capitals is shown)'
  return /^\.{0,2}(?:\/[\w.@-]{1,64}){1,16}$/.test(to.file) ? `the file ${to.file}` : 'a file'
}

function below(path: string, name: string): string {
  return path === '' || name === '' ? path + name : `${path}.${name}`
}
