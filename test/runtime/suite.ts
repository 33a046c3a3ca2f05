import { awsCases } from './aws-cases.ts'
import { azureCases } from './azure-cases.ts'
import { cacheCases } from './cache-cases.ts'
import { configCases } from './config-cases.ts'
import { fixtures, fromHex } from './fixtures.ts'
import { gcpCases } from './gcp-cases.ts'
import { sharedCases } from './shared-cases.ts'
import { vaultCases } from './vault-cases.ts'
import { xaesCases } from './xaes-cases.ts'

/** The package under test, as a user imports it. */
export interface Library {
  readonly core: typeof import('edge-kms')
  readonly aws: typeof import('edge-kms/aws-kms')
  readonly azure: typeof import('edge-kms/azure-key-vault')
  readonly config: typeof import('edge-kms/config')
  readonly gcp: typeof import('edge-kms/gcp-kms')
  readonly local: typeof import('edge-kms/local')
  readonly sharedKeys: typeof import('edge-kms/shared-keys')
  readonly stores: typeof import('edge-kms/stores')
  readonly testing: typeof import('edge-kms/testing')
  readonly vault: typeof import('edge-kms/vault-transit')
}

export interface RuntimeCase {
  readonly name: string
  readonly run: () => Promise<void>
  readonly skip?: string
}

const options = { context: { tenant: 'acme' }, aad: { table: 'users', row: '42' } }
const encoder = new TextEncoder()
const decoder = new TextDecoder()

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

function same(a: Uint8Array, b: Uint8Array, what: string): void {
  check(a.length === b.length && a.every((byte, i) => byte === b[i]), `${what}: the bytes differ`)
}

/** `byte i = i mod 251`: no chunk is like its neighbour. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length)
  for (let i = 0; i < length; i++) out[i] = i % 251
  return out
}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  transform: TransformStream<Uint8Array, Uint8Array>,
  pieceBytes = 10_000,
): Promise<Uint8Array<ArrayBuffer>> {
  let at = 0
  const source = new ReadableStream<Uint8Array>({
    pull(controller): void {
      if (at >= bytes.length) controller.close()
      else controller.enqueue(bytes.slice(at, (at += pieceBytes)))
    },
  })
  // Not by a Response: Chromium's says `Failed to fetch` for every error of its stream.
  const pieces: Uint8Array<ArrayBuffer>[] = []
  const reader = source.pipeThrough(transform).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return new Uint8Array(await new Blob(pieces).arrayBuffer())
    pieces.push(value.slice())
  }
}

/** One suite for every runtime: knows no runner, and only what the package exports. */
export function runtimeSuite(library: Library): readonly RuntimeCase[] {
  const { core, local, stores, testing } = library
  const key = crypto.getRandomValues(new Uint8Array(32))
  const versions = [{ version: 1, key }]
  const newKms = (): ReturnType<typeof local.createLocalKms> => local.createLocalKms({ versions })
  const newCipher = (): InstanceType<typeof core.EnvelopeCipher> =>
    new core.EnvelopeCipher({ kms: newKms(), dataKeyStore: store })
  const store = new stores.MemoryDataKeyStore()

  async function code(work: Promise<unknown>): Promise<string> {
    try {
      await work
    } catch (error) {
      return core.isKmsError(error) ? error.code : `not a KmsError: ${String(error)}`
    }
    return 'no error'
  }

  const own: RuntimeCase[] = [
    {
      name: 'R33 record: a cold reader opens what a writer made',
      run: async () => {
        for (const length of [0, 1, 256, 65_536]) {
          const envelope = await newCipher().encrypt(pattern(length), options)
          same(await newCipher().decrypt(envelope, options), pattern(length), String(length))
        }
      },
    },
    {
      name: 'R33 record: released bytes decrypt',
      run: async () => {
        const kms = local.createLocalKms({
          versions: [{ version: fixtures.kekVersion, key: fromHex(fixtures.kek) }],
        })
        const cipher = new core.EnvelopeCipher({ kms })
        const { context, aad } = fixtures
        const record = await cipher.decrypt(fromHex(fixtures.record), { context, aad })
        check(decoder.decode(record) === fixtures.plaintext, 'record')
        const stream = cipher.decryptStream({ context, aad })
        const plaintext = await through(fromHex(fixtures.stream), stream, 7)
        check(decoder.decode(plaintext) === fixtures.plaintext, 'stream')
      },
    },
    {
      name: 'R11 record: one error for wrong context, aad, key and any damaged part',
      run: async () => {
        const envelope = await newCipher().encrypt(pattern(100), options)
        const refused = async (bytes: Uint8Array, given = options): Promise<void> => {
          const got = await code(newCipher().decrypt(bytes, given))
          check(got === 'ERR_DECRYPT_FAILED', got)
        }
        await refused(envelope, { ...options, context: { tenant: 'evil' } })
        await refused(envelope, { ...options, aad: { table: 'users', row: '43' } })
        // Salt, commitment, the wrap, the nonce, the ciphertext and the tag.
        for (const at of [4, 36, 160, 180, 200, envelope.length - 1]) {
          const changed = envelope.slice()
          changed[at] = (changed[at] as number) ^ 1
          await refused(changed)
        }
        const other = local.createLocalKms({
          versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
        })
        const got = await code(new core.EnvelopeCipher({ kms: other }).decrypt(envelope, options))
        check(got === 'ERR_DECRYPT_FAILED', got)
      },
    },
    {
      name: 'R33 text: any string there and back',
      run: async () => {
        const text = 'gr\u{fc}n \u{1f511} \u{fb33}\u{10000} \ufeff'
        const sealed = await newCipher().encryptText(text, options)
        check(sealed.startsWith('ek1.'), 'the prefix')
        check((await newCipher().decryptText(sealed, options)) === text, 'the text')
        check(
          (await code(newCipher().decryptText(`${sealed}=`, options))) === 'ERR_WIRE_MALFORMED',
          'padding',
        )
      },
    },
    {
      name: 'R33 many: in order, one outcome for each',
      run: async () => {
        const items = Array.from({ length: 130 }, (_, i) => ({
          plaintext: new Uint8Array([i]),
          context: { tenant: String(i % 3) },
        }))
        const sealed = await newCipher().encryptMany(items)
        const page = sealed.map((outcome, i) => ({
          envelope: outcome.ok ? outcome.value : new Uint8Array(),
          context: { tenant: String(i === 5 ? 9 : i % 3) },
        }))
        const opened = await newCipher().decryptMany(page)
        for (const [i, outcome] of opened.entries()) {
          if (i === 5) check(!outcome.ok && outcome.error.code === 'ERR_DECRYPT_FAILED', 'item 5')
          else check(outcome.ok && outcome.value[0] === i, `item ${String(i)}`)
        }
      },
    },
    {
      name: 'R5 stream: every length around a chunk, in odd pieces',
      run: async () => {
        for (const length of [0, 1, 16_383, 16_384, 16_385, 32_768, 300_000]) {
          const sealed = await through(pattern(length), newCipher().encryptStream(options))
          const back = await through(sealed, newCipher().decryptStream(options), 5_003)
          same(back, pattern(length), String(length))
        }
      },
    },
    {
      name: 'R5 stream: a cut or changed stream is an error and not an end',
      run: async () => {
        const sealed = await through(pattern(40_000), newCipher().encryptStream(options))
        for (const length of [sealed.length - 1, sealed.length - 7_264, sealed.length - 7_248]) {
          const got = await code(
            through(sealed.slice(0, length), newCipher().decryptStream(options)),
          )
          check(got === 'ERR_DECRYPT_FAILED', `cut to ${String(length)}: ${got}`)
        }
        const changed = sealed.slice()
        changed[sealed.length - 20_000] = (changed[sealed.length - 20_000] as number) ^ 1
        const got = await code(through(changed, newCipher().decryptStream(options)))
        check(got === 'ERR_DECRYPT_FAILED', got)
      },
    },
    {
      name: 'R33 range: a part of a stream by range reads',
      run: async () => {
        const sealed = await through(pattern(50_000), newCipher().encryptStream(options))
        const read = (start: number, end: number): Promise<Uint8Array> =>
          Promise.resolve(sealed.slice(start, end))
        const middle = await newCipher().decryptRange(read, { start: 16_000, end: 33_000 }, options)
        same(middle.plaintext, pattern(50_000).slice(16_000, 33_000), 'middle')
        check(!middle.lengthVerified, 'the end was not seen')
        const tail = await newCipher().decryptRange(
          read,
          { start: -10, size: sealed.length },
          options,
        )
        same(tail.plaintext, pattern(50_000).slice(-10), 'tail')
        check(tail.lengthVerified && tail.length === 50_000, 'the end was seen')
      },
    },
    {
      name: 'R33 reference: small messages over a data-key store',
      run: async () => {
        const sealed = await newCipher().encrypt(encoder.encode('4111 1111'), {
          ...options,
          form: 'reference',
        })
        check(
          sealed.length === 76 + 9,
          `76 bytes over the plaintext, not ${String(sealed.length - 9)}`,
        )
        check(decoder.decode(await newCipher().decrypt(sealed, options)) === '4111 1111', 'text')
        const lost = new core.EnvelopeCipher({
          kms: newKms(),
          dataKeyStore: new stores.MemoryDataKeyStore(),
        })
        const got = await code(lost.decrypt(sealed, options))
        check(got === 'ERR_ENVELOPE_UNKNOWN_REFERENCE', got)
      },
    },
    {
      name: 'R33 rewrap: a new key version, the same body',
      run: async () => {
        const envelope = await newCipher().encrypt(encoder.encode('x'), options)
        const next = local.createLocalKms({
          versions: [...versions, { version: 2, key: crypto.getRandomValues(new Uint8Array(32)) }],
        })
        const cipher = new core.EnvelopeCipher({ kms: next })
        const rewrapped = await cipher.rewrap(envelope, { context: options.context })
        same(rewrapped.slice(-29), envelope.slice(-29), 'body')
        check(core.EncryptedEnvelope.parse(rewrapped).wraps[0]?.kekVersion === '2', 'version')
        check(decoder.decode(await cipher.decrypt(rewrapped, options)) === 'x', 'plaintext')
        const stored = await cipher.decryptStored(rewrapped, { aad: options.aad })
        check(stored.context['tenant'] === 'acme', 'the context that was stored')
      },
    },
    {
      name: 'R13 two requests at once, then nothing that was held before',
      run: async () => {
        const cipher = newCipher()
        const [a] = await Promise.all([
          cipher.encrypt(pattern(1), options),
          cipher.encrypt(pattern(1), options),
        ])
        cipher.clear()
        const b = await cipher.encrypt(pattern(1), options)
        const commitment = (envelope: Uint8Array): string =>
          core.EncryptedEnvelope.parse(envelope).dataKeyStoreKey
        check(commitment(a) !== commitment(b), 'a data key survived clear()')
      },
    },
  ]
  return [
    ...own,
    ...awsCases(library),
    ...azureCases(library),
    ...cacheCases(library),
    ...sharedCases(library),
    ...configCases(library),
    ...gcpCases(library),
    ...vaultCases(library),
    ...xaesCases(),
    ...testing
      .kmsContract(newKms().capabilities, {
        create: newKms,
        createOther: () => local.createLocalKms({ versions, kekId: 'other' }),
      })
      .map((one) => ({ ...one, name: `contract, local: ${one.name}` })),
    ...testing
      .dataKeyStoreContract(() => new stores.MemoryDataKeyStore())
      .map((one) => ({ ...one, name: `contract, memory store: ${one.name}` })),
  ]
}
