import type { Library } from '../runtime/suite.ts'
import { codeOf, type Kms, message, same, through } from './providers/shared.ts'
import { fromText, toText } from './text.ts'

/** One KEK for all runtimes; bytes are base64url. */
export interface ExchangeKeks {
  /** Keys of the local provider, version 1 first. A writer has version 1 alone. */
  readonly local: readonly string[]
  readonly aws: {
    readonly endpoint: string
    readonly region: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
    readonly keyId: string
  }
}

/** The messages of one runtime, as JSON: messages by KEK and form, and the records that references name. */
export interface Written {
  readonly messages: Readonly<Record<KekName, Readonly<Record<Form, string>>>>
  readonly dataKeys: Readonly<Record<string, string>>
}

/** The outcome of one message on its reader. */
export interface ReadRow {
  readonly name: string
  readonly state: 'passed' | 'failed'
  readonly text: string
}

type KekName = 'local' | 'aws-kms'
type Form = 'record' | 'text' | 'stream' | 'reference'
type Cipher = InstanceType<Library['core']['EnvelopeCipher']>
type Store = InstanceType<Library['stores']['MemoryDataKeyStore']>

const KEKS = ['local', 'aws-kms'] as const
const FORMS = ['record', 'text', 'stream', 'reference'] as const
const TEXT = 'grün \u{1f511} 4111'
const plaintext = new TextEncoder().encode(TEXT)
/** Three chunks, so that a reader meets a first, a middle and a last one. */
const long = Uint8Array.from({ length: 40_000 }, (_, i) => i % 251)
const context = { context: message.context }

function kmsOf({ aws, local }: Library, keks: ExchangeKeks, name: KekName, versions: number): Kms {
  if (name === 'aws-kms')
    return aws.createAwsKms({ ...keks.aws, timeoutMs: 10_000, allowHttpLoopback: true })
  const keys = keks.local.slice(0, versions)
  return local.createLocalKms({
    versions: keys.map((key, i) => ({ version: i + 1, key: fromText(key) })),
  })
}

/** Encrypts in every form under every KEK. */
export async function write(library: Library, keks: ExchangeKeks): Promise<Written> {
  const store = new library.stores.MemoryDataKeyStore()
  const byKek = await Promise.all(
    KEKS.map(async (name) => {
      const kms = kmsOf(library, keks, name, 1)
      const cipher = new library.core.EnvelopeCipher({ kms, dataKeyStore: store })
      const messages: Readonly<Record<Form, string>> = {
        record: toText(await cipher.encrypt(plaintext, message)),
        text: await cipher.encryptText(TEXT, message),
        stream: toText(await through(long, cipher.encryptStream(message))),
        reference: toText(await cipher.encrypt(plaintext, { ...message, form: 'reference' })),
      }
      return [name, messages] as const
    }),
  )
  const messages = Object.fromEntries(byKek) as Written['messages']
  return { messages, dataKeys: await recordsOf(store) }
}

/** Decrypts and rewraps what another runtime wrote, by ciphers that have seen none of it. */
export async function read(
  library: Library,
  keks: ExchangeKeks,
  written: Written,
): Promise<{ readonly rows: readonly ReadRow[]; readonly rewrapped: Written }> {
  const store = await storeOf(library, written)
  const rows: ReadRow[] = []
  const rewrapped: Record<string, Record<string, string>> = {}
  for (const kek of KEKS) {
    const messages: Record<string, string> = {}
    for (const form of FORMS) {
      const sealed = written.messages[kek][form]
      const cold = (): Cipher =>
        new library.core.EnvelopeCipher({
          kms: kmsOf(library, keks, kek, keks.local.length),
          dataKeyStore: store,
        })
      const row = { name: `${kek} ${form}` }
      try {
        messages[form] = await exchange(library, cold, store, form, sealed)
        rows.push({ ...row, state: 'passed', text: '' })
      } catch (error) {
        rows.push({ ...row, state: 'failed', text: String(error) })
      }
    }
    rewrapped[kek] = messages
  }
  const messages = rewrapped as Written['messages']
  return { rows, rewrapped: { messages, dataKeys: await recordsOf(store) } }
}

/** One message: it opens, does not open for another tenant, and opens once it is rewrapped. */
async function exchange(
  library: Library,
  cold: () => Cipher,
  store: Store,
  form: Form,
  sealed: string,
): Promise<string> {
  await opens(cold(), form, sealed)
  const foreign = { ...message, context: { tenant: 'evil' } }
  const bytes = bytesOf(form, sealed)
  const opened =
    form === 'stream'
      ? through(bytes, cold().decryptStream(foreign))
      : cold().decrypt(bytes, foreign)
  const code = await codeOf(library, opened)
  if (code !== 'ERR_DECRYPT_FAILED') throw new Error(`for another tenant: ${code}`)
  const rewrapped = await rewrap(library, cold(), store, form, sealed)
  await opens(cold(), form, rewrapped)
  return rewrapped
}

async function opens(cipher: Cipher, form: Form, sealed: string): Promise<void> {
  if (form === 'text') {
    const text = await cipher.decryptText(sealed, message)
    if (text !== TEXT) throw new Error('another text')
  } else if (form === 'stream')
    same(await through(fromText(sealed), cipher.decryptStream(message)), long, form)
  else same(await cipher.decrypt(fromText(sealed), message), plaintext, form)
}

/** A message by reference stays as it is: the record that it names is rewrapped in the store. */
async function rewrap(
  { core }: Library,
  cipher: Cipher,
  store: Store,
  form: Form,
  sealed: string,
): Promise<string> {
  if (form === 'stream')
    return toText(await through(fromText(sealed), cipher.rewrapStream(context)))
  if (form !== 'reference') {
    const rewrapped = toText(await cipher.rewrap(bytesOf(form, sealed), context))
    return form === 'text' ? `ek1.${rewrapped}` : rewrapped
  }
  const name = core.EncryptedEnvelope.parse(fromText(sealed)).dataKeyStoreKey
  const record = await store.get(name)
  if (record === undefined) throw new Error('the data-key record is missing')
  const swapped = await store.compareAndSwap(name, record, await cipher.rewrap(record, context))
  if (!swapped) throw new Error('the data-key record was not replaced')
  return sealed
}

const bytesOf = (form: Form, sealed: string): Uint8Array<ArrayBuffer> =>
  fromText(form === 'text' ? sealed.slice('ek1.'.length) : sealed)

async function recordsOf(store: Store): Promise<Written['dataKeys']> {
  const { keys } = await store.list(undefined, 100)
  const records = keys.map(async (key) => {
    const record = await store.get(key)
    return [key, toText(record ?? new Uint8Array())] as const
  })
  return Object.fromEntries(await Promise.all(records))
}

async function storeOf({ stores }: Library, { dataKeys }: Written): Promise<Store> {
  const store = new stores.MemoryDataKeyStore()
  for (const [key, record] of Object.entries(dataKeys))
    await store.putIfAbsent(key, fromText(record))
  return store
}
