import type { ContractCase } from 'edge-kms/testing'
import type { Library, RuntimeCase } from '../../runtime/suite.ts'

/** A KMS of the package under test. */
export type Kms = ReturnType<Library['local']['createLocalKms']>

/** Contract cases that one server gets wrong by itself, each with the reason. */
export type Deviations = Readonly<Record<string, string>>

export const message = { context: { tenant: 'acme' }, aad: { row: '42' } } as const
const plaintext = new TextEncoder().encode('4111 1111')
const STREAM_BYTES = 100_000

export function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

export function same(a: Uint8Array, b: Uint8Array, what: string): void {
  check(a.length === b.length && a.every((byte, i) => byte === b[i]), `${what}: the bytes differ`)
}

/** Returns the code of the error that `work` ends with. */
export async function codeOf({ core }: Library, work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    return core.isKmsError(error) ? error.code : `not a KmsError: ${String(error)}`
  }
  return 'no error'
}

/** Returns the contract's cases. One that the server deviates in must fail, or the deviation must go. */
export function contractOf(
  cases: readonly ContractCase[],
  title: string,
  deviations: Deviations = {},
): readonly RuntimeCase[] {
  return cases.map((one) => {
    const name = `${title}: ${one.name}`
    const why = deviations[one.name]
    if (one.skip !== undefined || why === undefined) return { ...one, name }
    return { name: `${name}: this server ${why}`, run: () => mustFail(one.run) }
  })
}

async function mustFail(run: () => Promise<void>): Promise<void> {
  const failed = await run().then(
    () => false,
    () => true,
  )
  check(failed, 'the server no longer deviates: remove the deviation from the list')
}

/** Returns what every KMS must do for a cipher. `create` gives a new KMS over the same KEK each time. */
export function cipherCases(library: Library, create: () => Kms): readonly RuntimeCase[] {
  const { core, local } = library
  const cold = (kms: Kms = create()): InstanceType<Library['core']['EnvelopeCipher']> =>
    new core.EnvelopeCipher({ kms })
  return [
    {
      name: 'an envelope moves from the local key to this KMS, where a cold cipher opens it, and back',
      run: async () => {
        const key = crypto.getRandomValues(new Uint8Array(32))
        const ours = local.createLocalKms({ versions: [{ version: 1, key }] })
        const envelope = await cold(ours).encrypt(plaintext, message)
        const move = (to: Kms, from: Kms, bytes: Uint8Array): Promise<Uint8Array> =>
          cold(new core.MultiKms({ read: [to, from], write: [to] })).rewrap(bytes, {
            context: message.context,
          })
        const moved = await move(create(), ours, envelope)
        same(moved.slice(-37), envelope.slice(-37), 'the body on the way there')
        same(await cold().decrypt(moved, message), plaintext, 'the plaintext there')
        const back = await move(ours, create(), moved)
        same(back.slice(-37), envelope.slice(-37), 'the body on the way back')
        same(await cold(ours).decrypt(back, message), plaintext, 'the plaintext back here')
      },
    },
    {
      name: 'a text and a stream that a cold cipher opens',
      run: async () => {
        const text = await cold().encryptText('grün 4111', message)
        check((await cold().decryptText(text, message)) === 'grün 4111', 'the text')
        const bytes = Uint8Array.from({ length: STREAM_BYTES }, (_, i) => i % 251)
        const sealed = await through(bytes, cold().encryptStream(message))
        same(await through(sealed, cold().decryptStream(message)), bytes, 'the stream')
      },
    },
    {
      name: 'another context is refused',
      run: async () => {
        const envelope = await cold().encrypt(plaintext, message)
        const other = { ...message, context: { tenant: 'evil' } }
        const code = await codeOf(library, cold().decrypt(envelope, other))
        check(code === 'ERR_DECRYPT_FAILED', code)
      },
    },
  ]
}

/** Returns what a transform makes of these bytes. */
export async function through(
  bytes: Uint8Array<ArrayBuffer>,
  transform: TransformStream<Uint8Array, Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  const source = new Blob([bytes]).stream() as ReadableStream<Uint8Array>
  return new Uint8Array(await new Response(source.pipeThrough(transform)).arrayBuffer())
}
