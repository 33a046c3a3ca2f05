import { type Bytes, decodeBase64, encodeBase64 } from '../../bytes/index.ts'
import { rowOf, type VaultClient } from '../../credentials/vault/index.ts'
import { KmsError, type Outcome } from '../../errors.ts'
import { type JsonObject, stringField } from '../../http/index.ts'
import { type KmsSignalOptions, SecretBytes } from '../../kms/index.ts'
import { TRANSIT_ERRORS } from './errors.ts'
import { readWrapped, type WrappedText } from './wrapped-text.ts'

export const PROVIDER = 'vault-transit'

/** Parameters of a request that bind a context. */
export type Binding = Readonly<Partial<Record<'associated_data' | 'context', string>>>

/** One ciphertext of a batch. */
export interface DecryptItem {
  readonly ciphertext: string
  readonly binding: Binding
}

/** Facts about a key, as Vault reports them. */
export interface KeyInfo {
  readonly derived: boolean
  readonly latestVersion: number
}

/** Types whose associated data Vault authenticates. */
const AEAD_TYPE = /^(?:aes(?:128|256)-gcm96|x?chacha20-poly1305)$/

/** The paths of one transit key that this provider uses, with their answers checked for form. */
export class TransitApi {
  readonly #client: VaultClient
  readonly #mount: string
  readonly #key: string

  /** Mount and key were checked: they become part of the path. */
  constructor(client: VaultClient, mount: string, key: string) {
    this.#client = client
    this.#mount = mount
    this.#key = key
  }

  async encrypt(
    plaintext: SecretBytes,
    binding: Binding,
    options: KmsSignalOptions,
  ): Promise<WrappedText> {
    const body = { plaintext: encodeBase64(plaintext.expose()), ...binding }
    return wrapped(dataOf(await this.#post('encrypt', body, options)))
  }

  async decrypt(
    { ciphertext, binding }: DecryptItem,
    options: KmsSignalOptions,
  ): Promise<SecretBytes> {
    return opened(dataOf(await this.#post('decrypt', { ciphertext, ...binding }, options)))
  }

  /** Many in one call, one outcome for each. With an item that fails the whole answer is a 400. */
  async decryptMany(
    items: readonly DecryptItem[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<SecretBytes>[]> {
    const batch = items.map(({ ciphertext, binding }) => ({ ciphertext, ...binding }))
    const answer = await this.#client.call({
      ...options,
      operation: 'decrypt',
      method: 'POST',
      path: this.#path('decrypt'),
      body: { batch_input: batch },
      reads: (answered) => resultsOf(answered) !== undefined,
    })
    const results = resultsOf(answer) ?? []
    if (results.length === items.length) return results.map(outcomeOf)
    throw invalid('the answer has not one result for each item')
  }

  /** For a ciphertext without associated data: with it, Vault's rewrap fails whatever it is sent. */
  async rewrap(
    { ciphertext, binding }: DecryptItem,
    options: KmsSignalOptions,
  ): Promise<WrappedText> {
    return wrapped(dataOf(await this.#post('rewrap', { ciphertext, ...binding }, options)))
  }

  /** Binds by derivation only: associated data is not applied here, and only a warning says so. */
  async generateDataKey(
    binding: Binding,
    options: KmsSignalOptions,
  ): Promise<{ readonly made: WrappedText; readonly plaintext: SecretBytes }> {
    const body = { bits: 256, ...binding }
    const data = dataOf(await this.#post('datakey/plaintext', body, options))
    return { made: wrapped(data), plaintext: secret(data) }
  }

  async keyInfo(options: KmsSignalOptions): Promise<KeyInfo> {
    const data = dataOf(
      await this.#client.call({
        ...options,
        operation: 'keys',
        method: 'GET',
        path: this.#path('keys'),
      }),
    )
    return this.#infoOf(data)
  }

  /** Vault answers with the key's new state, older versions of it with nothing. */
  async rotate(options: KmsSignalOptions): Promise<KeyInfo> {
    const answer = await this.#client.call({
      ...options,
      operation: 'rotate',
      method: 'POST',
      path: `${this.#path('keys')}/rotate`,
      body: {},
    })
    return answer['data'] ? this.#infoOf(dataOf(answer)) : this.keyInfo(options)
  }

  #post(operation: string, body: JsonObject, options: KmsSignalOptions): Promise<JsonObject> {
    const path = this.#path(operation)
    return this.#client.call({ ...options, operation, method: 'POST', path, body })
  }

  #path(operation: string): string {
    return `${this.#mount}/${operation}/${this.#key}`
  }

  #infoOf(data: JsonObject): KeyInfo {
    const { name, type, derived, latest_version: latest, supports_encryption: encrypts } = data
    if (name !== this.#key || typeof derived !== 'boolean' || !Number.isSafeInteger(latest))
      throw invalid('the answer is not the key info of this key')
    if (typeof type !== 'string' || !AEAD_TYPE.test(type) || encrypts === false)
      throw config('the key is of a type that does not bind associated data')
    // Equal plaintexts would have equal ciphertexts.
    if (data['convergent_encryption'] === true) throw config('the key is convergent')
    if (data['soft_deleted'] === true)
      throw new KmsError('ERR_KMS_KEY_DISABLED', { provider: PROVIDER })
    return { derived, latestVersion: latest as number }
  }
}

function dataOf(answer: JsonObject): JsonObject {
  return (answer['data'] ?? {}) as JsonObject
}

function resultsOf(answer: JsonObject): readonly (JsonObject | null)[] | undefined {
  const results = dataOf(answer)['batch_results']
  return Array.isArray(results) ? (results as readonly (JsonObject | null)[]) : undefined
}

function outcomeOf(result: JsonObject | null): Outcome<SecretBytes> {
  const error = result?.['error']
  if (typeof error === 'string' && error !== '') {
    const row = rowOf(400, error, TRANSIT_ERRORS)
    const facts = { provider: PROVIDER, operation: 'decrypt' }
    const message = row === undefined ? undefined : `Vault: ${row.message}`
    const code = row?.code ?? 'ERR_KMS_RESPONSE_INVALID'
    return { ok: false, error: new KmsError(code, { ...facts, ...(message && { message }) }) }
  }
  try {
    return { ok: true, value: opened(result ?? {}) }
  } catch (invalidAnswer) {
    return { ok: false, error: invalidAnswer as KmsError }
  }
}

/** Returns a new ciphertext; the version that Vault sends beside it must be its own. */
function wrapped(data: JsonObject): WrappedText {
  const read = readWrapped(stringField(data, 'ciphertext'))
  const { key_version: told } = data
  if (read !== undefined && (told === undefined || told === Number(read.kekVersion))) return read
  throw invalid('ciphertext is not one of Vault')
}

/** Of any length: a planted wrap must not end the read. */
function opened(data: JsonObject): SecretBytes {
  const bytes: Bytes | undefined = decodeBase64(stringField(data, 'plaintext'))
  if (bytes !== undefined) return SecretBytes.take(bytes)
  throw invalid('plaintext is not base64')
}

/** A new DEK. */
function secret(data: JsonObject): SecretBytes {
  const bytes = opened(data)
  if (bytes.length === 32) return bytes
  bytes.dispose()
  throw invalid('plaintext has the wrong length')
}

function invalid(message: string): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { message, provider: PROVIDER })
}

export function config(message: string): KmsError {
  return new KmsError('ERR_KMS_CONFIG', { message, provider: PROVIDER })
}
