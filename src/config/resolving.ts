import { configError } from '../http/index.ts'
import type { Network, Runtime } from '../ports/index.ts'
import { type CheckedText, type ConfigResolver, Reference, type Resolved } from './references.ts'

/** Clock, random numbers and network for everything that a configuration makes. */
export interface ConfigPorts {
  readonly runtime?: Runtime
  readonly network?: Network
}

/** What builders work with. */
export class Resolving {
  readonly ports: ConfigPorts
  readonly #resolve: ConfigResolver | undefined

  constructor(resolve: ConfigResolver | undefined, ports: ConfigPorts) {
    this.#resolve = resolve
    this.ports = ports
  }

  /**
   * Every reference in a checked configuration, now.
   *
   * @throws KmsError `ERR_KMS_CONFIG` with the path, without names and values
   */
  all<T>(value: T, path: string): Resolved<T> {
    if (value instanceof Reference) return this.#one(value, path) as Resolved<T>
    if (Array.isArray(value))
      return (value as readonly unknown[]).map((one, i) =>
        this.all(one, `${path}[${String(i)}]`),
      ) as Resolved<T>
    if (typeof value !== 'object' || value === null) return value as Resolved<T>
    const entries = Object.entries(value as Readonly<Record<string, unknown>>)
      .filter(([, one]) => one !== undefined)
      .map(([name, one]) => [name, this.all(one, path === '' ? name : `${path}.${name}`)])
    return Object.fromEntries(entries) as Resolved<T>
  }

  /** A text that is asked for anew at each use: a token that somebody else renews. */
  later(value: CheckedText, path: string): () => Promise<string> {
    return async () => Promise.resolve(this.all(value, path)).then((text) => text.trim())
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
