import { encodeBase64Url } from '../../bytes/index.ts'
import { configError } from '../../checks/index.ts'
import { EncryptedEnvelope } from '../../envelope/index.ts'
import { BoundedMap } from '../../runtime/index.ts'
import { mapFrom } from '../caller-maps.ts'
import type { ValueAt } from '../judge.ts'
import type { RecordChange } from '../record-source.ts'
import { inForm, isEmptyValue, messageBytes, readStored } from '../stored-value.ts'
import type { ReencryptSettings } from './options.ts'

/** Data keys that are remembered as new: one for each context and hour. */
const MAX_NEW_KEYS = 100_000

/** Encrypts single values again. */
export class Reencrypter {
  readonly #settings: ReencryptSettings
  /** Data keys under which this run has encrypted. */
  readonly #made = new BoundedMap<string, true>(MAX_NEW_KEYS)
  /** Data keys that were there before. */
  readonly #old = new BoundedMap<string, true>(MAX_NEW_KEYS)

  constructor(settings: ReencryptSettings) {
    this.#settings = settings
  }

  /**
   * Returns the value re-encrypted; `undefined` for one that stays, e.g. because it is not an envelope.
   *
   * @throws KmsError of the ciphers; `ERR_KMS_CONFIG` if the data key is not a new one
   */
  async next(at: ValueAt): Promise<RecordChange | 'data-key-record' | undefined> {
    const { record, field, value } = at
    if (isEmptyValue(value)) return undefined
    const message = readStored(value)
    if (message === undefined) return undefined
    if (message.head.kind === 'data-key-record') return 'data-key-record'
    const { affects, from, to, signal } = this.#settings
    const bytes = messageBytes(value, message.form)
    const name = encodeBase64Url(message.head.commitment)
    if (this.#made.get(name) === true) return undefined
    if (affects !== undefined && !affects(EncryptedEnvelope.parse(bytes))) return undefined
    this.#old.set(name, true)
    const maps = this.#mapsOf(at, message.head.header?.stored)
    const plaintext = await from.decrypt(bytes, { ...maps, signal })
    const next = await to.encrypt(plaintext, { ...maps, signal }).finally(() => plaintext.fill(0))
    this.#checkNew(EncryptedEnvelope.parse(next))
    return { id: record.id, field, expected: value, next: inForm(message.form, next) }
  }

  #mapsOf({ record, field }: ValueAt, stored: Readonly<Record<string, string>> | undefined) {
    const { contextOf, aadOf, source } = this.#settings
    const context =
      contextOf === undefined
        ? stored
        : mapFrom('contextOf', () => contextOf(record, field, source.name))
    const aad = mapFrom('aadOf', () => aadOf?.(record, field, source.name))
    return { ...(context && { context }), ...(aad && { aad }) }
  }

  /** A data key that is stored already may be the one that leaked. */
  #checkNew(envelope: EncryptedEnvelope): void {
    const name = encodeBase64Url(envelope.commitment)
    const isOld = this.#old.get(name) === true || this.#settings.affects?.(envelope) === true
    if (isOld && this.#made.get(name) !== true)
      throw configError(
        'to encrypts under a data key that is stored already: make a new cipher, without the shared level of the old one',
      )
    this.#made.set(name, true)
  }
}
