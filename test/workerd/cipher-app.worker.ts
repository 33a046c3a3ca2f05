import {
  type CipherClient,
  type CipherService,
  createCipherClient,
} from '../../adapters/workers/index.ts'
import { isKmsError, parseContextJson } from '../../src/index.ts'

/** The service with what its test subclass adds. */
type Service = CipherService & {
  notes(): Promise<{ created: number; kms: string[]; streams: string[] }>
  fail(how?: string): Promise<void>
  open(): Promise<void>
  close(): Promise<void>
}

type Env = Readonly<Record<string, Service>>
type Run = (env: Env, parameters: URLSearchParams) => Promise<unknown>

const CONTEXT = { tenant: 'tenant-a/eu' }
const encoder = new TextEncoder()
const decoder = new TextDecoder()
const text = encoder.encode('4111 1111')
const clientOf = (env: Env, name = 'KMS', key?: string): CipherClient =>
  createCipherClient(env[name] as CipherService, key === undefined ? {} : { key })

/** An error as the caller sees it. */
export function told(error: unknown): unknown {
  if (isKmsError(error)) return error.toJSON()
  return { name: (error as Error).name, message: (error as Error).message }
}

const caught = async (work: () => unknown): Promise<unknown> => {
  try {
    return { value: await work() }
  } catch (error) {
    return told(error)
  }
}

function streamOf(bytes: Uint8Array, size = 65_536): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) {
        controller.close()
        return
      }
      controller.enqueue(bytes.slice(at, at + size))
      at += size
    },
  })
}

const collect = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> =>
  new Uint8Array(await new Response(stream).arrayBuffer())

/** One call of each method, on messages that the service itself made. */
async function everyMethod(env: Env, name: string): Promise<Record<string, unknown>> {
  const good = clientOf(env)
  const options = { context: CONTEXT }
  const [envelope, token] = [
    await good.encrypt(text, options),
    await good.encryptText('text', options),
  ]
  const message = await collect(streamOf(text).pipeThrough(good.encryptStream(options)))
  const cipher = clientOf(env, name)
  const through = (transform: TransformStream<Uint8Array, Uint8Array>, bytes: Uint8Array) =>
    collect(streamOf(bytes).pipeThrough(transform))
  const calls: Record<string, () => unknown> = {
    encrypt: async () => (await cipher.encrypt(text, options)).length > 0,
    decrypt: async () => decoder.decode(await cipher.decrypt(envelope, options)),
    encryptText: async () => (await cipher.encryptText('text', options)).slice(0, 4),
    decryptText: () => cipher.decryptText(token, options),
    encryptMany: async () =>
      (await cipher.encryptMany([{ plaintext: text, ...options }])).map(({ ok }) => ok),
    decryptMany: async () =>
      (await cipher.decryptMany([{ envelope, ...options }])).map(({ ok }) => ok),
    encryptStream: async () => (await through(cipher.encryptStream(options), text)).length > 0,
    decryptStream: async () =>
      decoder.decode(await through(cipher.decryptStream(options), message)),
    rewrap: async () => (await cipher.rewrap(envelope, options)).length === envelope.length,
    rewrapStream: async () =>
      (await through(cipher.rewrapStream(options), message)).length === message.length,
    inspect: async () => (await cipher.inspect(envelope)).canOpen,
  }
  const answers: Record<string, unknown> = {}
  for (const [method, call] of Object.entries(calls)) answers[method] = await caught(call)
  return answers
}

const cases: Record<string, Run> = {
  methods: (env, parameters) => everyMethod(env, parameters.get('binding') ?? 'KMS'),
  notes: (env, parameters) => env[parameters.get('binding') ?? 'KMS']!.notes(),
  encrypt: (env, parameters) =>
    caught(async () => {
      const context = JSON.parse(parameters.get('context') ?? JSON.stringify(CONTEXT)) as Record<
        string,
        string
      >
      const client = clientOf(
        env,
        parameters.get('binding') ?? 'KMS',
        parameters.get('key') ?? 'default',
      )
      return (await client.encrypt(text, { context })).length > 0
    }),
  'rpc-create-ciphers': (env, parameters) =>
    caught(() =>
      (
        env[parameters.get('binding') ?? 'KMS'] as unknown as {
          createCiphers(env: object): Promise<unknown>
        }
      ).createCiphers({}),
    ),
  fail: (env, parameters) => caught(() => env['KMS']!.fail(parameters.get('how') ?? undefined)),
  raw: async (env) => {
    const kms = env['KMS'] as unknown as Record<string, (...values: unknown[]) => Promise<unknown>>
    const call = (method: string, ...values: unknown[]): Promise<unknown> =>
      caught(() => kms[method]?.(...values))
    const never = (): void => undefined
    return {
      refused: await call('encryptText', 'text', { context: { tenant: 'tenant-b/eu' } }),
      callback: await call('encryptText', 'text', { context: CONTEXT, defer: never }),
      map: await call('encryptText', 'text', { context: new Map([['tenant', 'tenant-a/eu']]) }),
      'function as value': await call('encryptText', 'text', { context: { tenant: never } }),
      key: await call('encryptText', 'text', { context: CONTEXT, key: 5 }),
      options: await call('encryptText', 'text', 'options'),
      'no items': await call('encryptMany', { length: 1 }),
      'no source': await call('encryptStream', text, { context: CONTEXT }),
    }
  },
  hole: async (env) => {
    const kms = env['KMS'] as unknown as {
      encryptMany(items: readonly unknown[]): Promise<{ value: readonly unknown[] }>
    }
    const items: unknown[] = [{ plaintext: text, context: CONTEXT }]
    items[2] = { plaintext: text, context: CONTEXT }
    const { value } = await kms.encryptMany(items)
    return Array.from(value, (one) => {
      const { ok, error } = Object(one) as { ok?: boolean; error?: { code: string } }
      return error?.code ?? ok ?? 'nothing'
    })
  },
  'item-refused': async (env) => {
    const items = ['tenant-a/eu', 'tenant-b/eu', 'tenant-a/us'].map((tenant) => ({
      plaintext: text,
      context: { tenant },
    }))
    return (await clientOf(env).encryptMany(items)).map((one) => (one.ok ? 'ok' : told(one.error)))
  },
  many: async (env, parameters) => {
    const count = Number(parameters.get('count'))
    const cipher = clientOf(env)
    // Views into one buffer, as a parser makes them.
    const size = Number(parameters.get('size') ?? 100)
    const all = new Uint8Array(count * size).map((_, i) => i % 251)
    const items = Array.from({ length: count }, (_, i) => ({
      plaintext: all.subarray(i * size, (i + 1) * size),
      context: CONTEXT,
      aad: { row: String(i) },
    }))
    const sealed = await cipher.encryptMany(items)
    const back = await cipher.decryptMany(
      sealed.map((one, i) => ({
        envelope: one.ok ? one.value : new Uint8Array(0),
        context: CONTEXT,
        aad: { row: String(i) },
      })),
    )
    return back.filter(
      (one, i) => one.ok && decoder.decode(one.value) === decoder.decode(items[i]?.plaintext),
    ).length
  },
  'many-outcomes': async (env) => {
    const cipher = clientOf(env)
    const options = { context: CONTEXT }
    const envelope = await cipher.encrypt(text, options)
    const tampered = envelope.map((byte, i) => (i === envelope.length - 1 ? byte ^ 1 : byte))
    const items = [
      { envelope, ...options },
      { envelope: tampered, ...options },
      { envelope: 'none' as unknown as Uint8Array, ...options },
      { envelope, context: new Map() as unknown as Record<string, string> },
      { envelope, ...options, contxt: {} },
      null as unknown as { envelope: Uint8Array },
    ]
    return (await cipher.decryptMany(items)).map((one) =>
      one.ok ? decoder.decode(one.value) : one.error.code,
    )
  },
  'too-large': async (env) => {
    const cipher = clientOf(env, 'KMS', 'pii')
    const large = new Uint8Array(33 * 1_048_576)
    const many = await cipher.encryptMany([
      { plaintext: text, context: CONTEXT },
      { plaintext: large, context: CONTEXT },
    ])
    return [
      await caught(() => cipher.encrypt(large, { context: CONTEXT })),
      many.map((one) => (one.ok ? 'ok' : one.error.code)),
    ]
  },
  subarray: async (env) => {
    const cipher = clientOf(env)
    // The buffer around the plaintext is larger than a call may be: if all of it crossed, the call would fail.
    const buffer = new Uint8Array(40 * 1_048_576)
    buffer.set(text, 5)
    const view = buffer.subarray(5, 5 + text.length)
    const envelope = await cipher.encrypt(view, { context: CONTEXT })
    const wide = new Uint8Array(40 * 1_048_576)
    wide.set(envelope, 9)
    const back = await cipher.decrypt(wide.subarray(9, 9 + envelope.length), { context: CONTEXT })
    const through = streamOf(text).pipeThrough(cipher.encryptStream({ context: CONTEXT }))
    const pieces: boolean[] = []
    for await (const piece of through) pieces.push(piece.buffer.byteLength === piece.length)
    return {
      back: decoder.decode(back),
      own: [envelope, back].map((bytes) => bytes.buffer.byteLength === bytes.length),
      pieces: pieces.every(Boolean),
    }
  },
  'null-prototype': async (env) => {
    const cipher = clientOf(env)
    const maps = {
      context: parseContextJson('{"tenant":"tenant-a/eu"}'),
      aad: parseContextJson('{"__proto__":"x"}'),
    }
    const envelope = await cipher.encrypt(text, maps)
    const back = decoder.decode(await cipher.decrypt(envelope, maps))
    return {
      back,
      other: await caught(() => cipher.decrypt(envelope, { context: CONTEXT })),
      facts: await cipher.inspect(envelope),
    }
  },
  inspect: async (env) => {
    const cipher = clientOf(env)
    const options = { context: CONTEXT }
    const envelope = await cipher.encrypt(text, options)
    const message = await collect(
      streamOf(new Uint8Array(200_000)).pipeThrough(cipher.encryptStream(options)),
    )
    const [record, stream, pii] = [
      await cipher.inspect(envelope),
      await cipher.inspect(message),
      await clientOf(env, 'KMS', 'pii').inspect(envelope),
    ]
    const start = await cipher.inspect(envelope.subarray(0, record.headBytes), { prefix: true })
    const inText = await cipher.inspect(await cipher.encryptText('text', options))
    return {
      record,
      kinds: [stream.kind, pii.kind, start.kind, inText.kind],
      junk: await caught(() => cipher.inspect(text)),
    }
  },
  errors: async (env) => {
    const cipher = clientOf(env)
    const options = { context: CONTEXT }
    const envelope = await cipher.encrypt(text, options)
    const stopped = AbortSignal.abort(new Error('stopped by the caller'))
    const checks: Record<string, () => unknown> = {
      tampered: () =>
        cipher.decrypt(
          envelope.map((byte, i) => (i === envelope.length - 1 ? byte ^ 1 : byte)),
          options,
        ),
      junk: () => cipher.decrypt(text, options),
      'no bytes': () => cipher.encrypt('text' as unknown as Uint8Array, options),
      'no text': () => cipher.encryptText(5 as unknown as string, options),
      'no UTF-8': async () =>
        cipher.decryptText(await cipher.encryptText('x', options), {
          ...options,
          aad: {},
          kinds: [],
        }),
      'unknown option': () => cipher.encrypt(text, { ...options, contxt: {} } as object),
      'context of a class': () =>
        cipher.encrypt(text, { context: new Map() as unknown as Record<string, string> }),
      'context of numbers': () => cipher.encrypt(text, { context: { tenant: 5 } as object }),
      aborted: () => cipher.encrypt(text, { ...options, signal: stopped }),
      'no service': () => createCipherClient({} as CipherService).encrypt(text, options),
      'another service': () => clientOf(env, 'OTHER_SERVICE').encrypt(text, options),
    }
    const answers: Record<string, unknown> = {}
    for (const [name, check] of Object.entries(checks)) answers[name] = await caught(check)
    return answers
  },
  slow: async (env, parameters) => {
    const cipher = createCipherClient(env['SLOW'] as CipherService, {
      timeoutMs: Number(parameters.get('timeout') ?? 30_000),
    })
    return caught(async () => (await cipher.encrypt(text, { context: CONTEXT })).length > 0)
  },
  'slow-close': (env) => caught(() => env['SLOW']!.close()),
  'slow-open': (env) => caught(() => env['SLOW']!.open()),
  defer: async (env) => {
    const cipher = clientOf(env)
    const never = (): void => {
      throw new Error('a callback of the caller ran')
    }
    return (await cipher.encrypt(text, { context: CONTEXT, defer: never })).length > 0
  },
}

const app = {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const run = cases[pathname.slice(1)]
    if (run === undefined) return new Response('no such case', { status: 404 })
    return Response.json((await run(env, searchParams)) ?? null)
  },
}

export default app
