import type { KeyManagementService } from '../kms/index.ts'

/** The value of an environment variable or binding, e.g. `{ "env": "AZURE_CLIENT_SECRET" }`. */
export interface EnvReference {
  readonly env: string
}

/** The text of a file, e.g. `{ "file": "/run/secrets/token" }`. */
export interface FileReference {
  readonly file: string
}

/**
 * A text, or a reference to a variable or a file that holds it. Do not put a secret into a configuration: use a
 * reference.
 */
export type ConfigText = string | EnvReference | FileReference

/**
 * Returns the text that a reference names, or `undefined` if there is none. For a token that is renewed, it is called
 * at each use.
 */
export type ConfigResolver = (reference: EnvReference | FileReference) => string | undefined

/** A reference that was checked: a map of a user's strings cannot be mistaken for one. */
export class Reference {
  readonly to: EnvReference | FileReference

  constructor(to: EnvReference | FileReference) {
    this.to = to
  }
}

/** A checked text. */
export type CheckedText = string | Reference

type Value<V, S> = V extends string
  ? string extends V
    ? S
    : V
  : V extends readonly string[]
    ? readonly S[]
    : V

type IfOptional<T, K extends keyof T> = object extends Pick<T, K> ? undefined : never

/** Options as plain JSON: without what is `Left` out, and with S for every text. */
export type Plain<T, Left extends PropertyKey, S> = {
  readonly [K in keyof T as Exclude<K, Left | 'runtime' | 'network' | 'signer'>]:
    Value<Exclude<T[K], undefined>, S> | IfOptional<T, K>
}

/** A checked configuration with every reference resolved, as the options want it. */
export type Resolved<T> = T extends CheckedText
  ? T extends string
    ? T
    : string
  : T extends readonly (infer V)[]
    ? readonly Resolved<V>[]
    : T extends object
      ? { readonly [K in keyof T]: Resolved<Exclude<T[K], undefined>> }
      : T

/** Makes the KMSs of one part of a configuration, which share their source of credentials. */
export interface KmsMaker {
  /** The name of the key, as the configuration has it. */
  readonly keyName: string | undefined
  /** Returns the KMS of a key: of that of the configuration by default. */
  make(keyName?: string): KeyManagementService
}
