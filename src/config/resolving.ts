import { configError } from '../checks/index.ts'
import type { AwsSigner } from '../credentials/aws/index.ts'
import { isKmsError, KmsError } from '../errors.ts'
import type { Network, Runtime } from '../ports/index.ts'
import { type CheckedText, type ConfigResolver, Reference, type Resolved } from './references.ts'

/** Clock, random numbers and network for everything that a configuration makes. */
export interface ConfigPorts {
  readonly runtime?: Runtime | undefined
  readonly network?: Network | undefined
  /** Signs all requests to AWS; aws4fetch by default. */
  readonly signer?: AwsSigner | undefined
}

/** What builders work with. */
export class Resolving {
  readonly ports: { readonly runtime?: Runtime; readonly network?: Network }
  /** For what signs requests to AWS. */
  readonly signing: { readonly signer?: AwsSigner }
  readonly #resolve: ConfigResolver | undefined
  readonly #place: string

  /** @param place - where in the configuration all paths begin; empty: at its top */
  constructor(
    resolve: ConfigResolver | undefined,
    { runtime, network, signer }: ConfigPorts,
    place = '',
  ) {
    this.#resolve = resolve
    this.ports = { ...(runtime && { runtime }), ...(network && { network }) }
    this.signing = { ...(signer && { signer }) }
    this.#place = place
  }

  /**
   * Every reference in a checked configuration, now.
   *
   * @throws KmsError `ERR_KMS_CONFIG` with the path, without names and values
   */
  all<T>(value: T, path: string): Resolved<T> {
    if (value instanceof Reference) return this.#one(value, this.#at(path)) as Resolved<T>
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
   * Makes a part of the configuration, and says of what it refuses where that stands.
   *
   * @throws KmsError `ERR_KMS_CONFIG`
   */
  within<T>(path: string, make: () => T): T {
    const place = this.#at(path)
    try {
      return make()
    } catch (error) {
      // What is nearer to the mistake has said where it is.
      if (!isKmsError(error, 'ERR_KMS_CONFIG') || error.message.startsWith(place)) throw error
      const { provider } = error
      const message = `${place}: ${error.message}`
      throw new KmsError('ERR_KMS_CONFIG', { message, ...(provider !== undefined && { provider }) })
    }
  }

  /** A text that is asked for anew at each use: a token that somebody else renews. */
  later(value: CheckedText, path: string): () => Promise<string> {
    return async () => Promise.resolve(this.all(value, path)).then((text) => text.trim())
  }

  #at(path: string): string {
    return below(this.#place, path)
  }

  #one({ to }: Reference, path: string): string {
    if (this.#resolve === undefined)
      throw configError(`${path} is a reference, and there is nothing to resolve it`)
    let text: string | undefined
    try {
      text = this.#resolve(to)
    } catch {
      // Its message may quote a path or a secret.
      text = undefined
    }
    if (typeof text === 'string' && text !== '') return text
    throw configError(
      `${path} refers to ${'env' in to ? 'a variable' : 'a file'} that is not there`,
    )
  }
}

function below(path: string, name: string): string {
  return path === '' || name === '' ? path + name : `${path}.${name}`
}
