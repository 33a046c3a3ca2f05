import {
  type CipherClient,
  type CipherService,
  createCipherClient,
} from '../../adapters/workers/index.ts'
import { isKmsError } from '../../src/index.ts'

type Service = CipherService & { notes(): Promise<object> }
type Env = Readonly<Record<string, Service>>
type Transform = TransformStream<Uint8Array, Uint8Array>
type Run = (env: Env, parameters: URLSearchParams) => Promise<unknown>

const OPTIONS = { context: { tenant: 'tenant-a/eu' } }
const PIECE = 65_536
/** Longer than any step takes; what has no answer by then hangs. */
const HUNG_MS = 10_000

const clientOf = (env: Env, name = 'KMS', key = 'watched'): CipherClient =>
  createCipherClient(env[name] as CipherService, { key })
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const told = (error: unknown): string => (isKmsError(error) ? error.code : (error as Error).message)

/** The observations of both sides of a transform. */
interface Sides {
  /** Bytes that were taken from the source. */
  sent: number
  /** How the source ended: closed by us, or cancelled with a reason. */
  source: string
  got: number
  /** How the reader ended: `done` is the only clean end. */
  reader: string
  /** The most bytes that were under way. */
  lead: number
}

interface Plan {
  readonly bytes: Uint8Array | number
  /** Errors the source after so many bytes. */
  readonly failAt?: number
  /** Ends the source after so many bytes without closing it. */
  readonly leaveAt?: number
  readonly cancelAt?: number
  /** Holds the reader for so long after the first piece. */
  readonly holdMs?: number
  readonly abortAt?: readonly [number, AbortController]
}

async function through(transform: Transform, plan: Plan): Promise<Sides> {
  const sides: Sides = { sent: 0, source: 'open', got: 0, reader: 'open', lead: 0 }
  const total = typeof plan.bytes === 'number' ? plan.bytes : plan.bytes.length
  const pieceAt = (at: number): Uint8Array =>
    typeof plan.bytes === 'number'
      ? new Uint8Array(Math.min(PIECE, total - at)).fill((at / PIECE) % 251)
      : plan.bytes.slice(at, at + PIECE)
  const source = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (plan.leaveAt !== undefined && sides.sent >= plan.leaveAt) return pause(HUNG_MS * 6)
        if (plan.failAt !== undefined && sides.sent >= plan.failAt)
          throw new Error('the source broke')
        if (sides.sent >= total) {
          sides.source = 'closed'
          controller.close()
          return
        }
        const piece = pieceAt(sides.sent)
        sides.sent += piece.length
        sides.lead = Math.max(sides.lead, sides.sent - sides.got)
        controller.enqueue(piece)
      },
      cancel(reason) {
        sides.source = `cancelled: ${told(reason)}`
      },
    },
    { highWaterMark: 0 },
  )
  const reader = source.pipeThrough(transform).getReader()
  try {
    for (;;) {
      const { done, value } = await within(reader.read())
      if (done) {
        sides.reader = 'done'
        break
      }
      sides.got += value.length
      if (plan.holdMs !== undefined && sides.got === value.length) await pause(plan.holdMs)
      if (plan.abortAt !== undefined && sides.got >= plan.abortAt[0])
        plan.abortAt[1].abort(new Error('stopped'))
      if (plan.cancelAt === undefined || sides.got < plan.cancelAt) continue
      await reader.cancel(new Error('the reader has enough'))
      sides.reader = 'cancelled'
      break
    }
  } catch (error) {
    sides.reader = told(error)
  }
  await pause(150) // for the other side to see it
  return sides
}

async function within<T>(work: Promise<T>): Promise<T> {
  const hung = pause(HUNG_MS).then(() => {
    throw new Error('hung')
  })
  return Promise.race([work, hung])
}

const collect = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> =>
  new Uint8Array(await new Response(stream).arrayBuffer())

async function messageOf(cipher: CipherClient, bytes: number): Promise<Uint8Array> {
  const plain = new Response(new Uint8Array(bytes)).body as ReadableStream<Uint8Array>
  return collect(plain.pipeThrough(cipher.encryptStream(OPTIONS)))
}

const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

const cases: Record<string, Run> = {
  notes: (env) => env['KMS']!.notes(),
  whole: async (env, parameters) => {
    const cipher = clientOf(env)
    const bytes = Number(parameters.get('bytes'))
    return through(chain(cipher.encryptStream(OPTIONS), cipher.decryptStream(OPTIONS)), { bytes })
  },
  tampered: async (env) => {
    const cipher = clientOf(env)
    const message = await messageOf(cipher, 1_000_000)
    return through(cipher.decryptStream(OPTIONS), { bytes: flip(message, 700_000) })
  },
  cut: async (env) => {
    const cipher = clientOf(env)
    const message = await messageOf(cipher, 200_000)
    const ends: string[] = []
    for (const end of [0, 3, 100, 300, 70_000, message.length - 17, message.length - 1]) {
      const sides = await through(cipher.decryptStream(OPTIONS), { bytes: message.slice(0, end) })
      ends.push(sides.reader)
    }
    return ends
  },
  'other context': async (env) => {
    const message = await messageOf(clientOf(env), 1_000)
    return through(clientOf(env).decryptStream({ context: { tenant: 'tenant-a/us' } }), {
      bytes: message,
    })
  },
  'source fails': (env) =>
    through(clientOf(env).encryptStream(OPTIONS), { bytes: 2_000_000, failAt: 1_000_000 }),
  'source is left': async (env) => {
    const { readable, writable } = clientOf(env).encryptStream(OPTIONS)
    const writer = writable.getWriter()
    const reader = readable.getReader()
    const read = (async () => {
      for (;;) if ((await reader.read()).done) return 'done'
    })()
    read.catch(() => undefined)
    for (let i = 0; i < 10; i++) await writer.write(new Uint8Array(PIECE))
    const seen = await Promise.race([read, pause(500).then(() => 'waiting')])
    await writer.abort(new Error('left'))
    return [seen, await read.catch(told)]
  },
  cancel: (env) =>
    through(clientOf(env).encryptStream(OPTIONS), { bytes: 64_000_000, cancelAt: 500_000 }),
  hold: (env) => through(clientOf(env).encryptStream(OPTIONS), { bytes: 16_000_000, holdMs: 700 }),
  lead: (env, parameters) =>
    through(clientOf(env).encryptStream(OPTIONS), { bytes: Number(parameters.get('bytes')) }),
  abort: async (env) => {
    const abort = new AbortController()
    return through(clientOf(env).encryptStream({ ...OPTIONS, signal: abort.signal }), {
      bytes: 64_000_000,
      abortAt: [500_000, abort],
    })
  },
  denied: (env, parameters) =>
    through(clientOf(env, parameters.get('binding') ?? 'NO_PROPS').encryptStream(OPTIONS), {
      bytes: 2_000_000,
    }),
  'other key': (env) =>
    through(clientOf(env, 'KMS', 'secret').encryptStream(OPTIONS), { bytes: 2_000_000 }),
  'no bytes': async (env) => {
    const { writable, readable } = clientOf(env).encryptStream(OPTIONS)
    const writer = writable.getWriter()
    writer.closed.catch(() => undefined)
    const wrote = await writer.write('text' as unknown as Uint8Array).then(() => 'wrote', told)
    return [wrote, await within(readable.getReader().read()).then(() => 'read', told)]
  },
  'one large piece': async (env) => {
    const cipher = clientOf(env)
    const large = new Uint8Array(40 * 1_048_576)
    const { writable, readable } = cipher.encryptStream(OPTIONS)
    const writer = writable.getWriter()
    const write = writer.write(large).then(() => writer.close())
    const bytes = await new Response(readable).arrayBuffer()
    await write
    return bytes.byteLength > large.length
  },
  'reused buffer': async (env) => {
    const cipher = clientOf(env)
    const buffer = new Uint8Array(1_000)
    const { writable, readable } = cipher.encryptStream(OPTIONS)
    const writer = writable.getWriter()
    const sealed = collect(readable)
    const writes: Promise<void>[] = []
    for (let i = 1; i <= 5; i++) {
      buffer.fill(i)
      writes.push(writer.write(buffer))
      await writes.at(-1)
    }
    await writer.close()
    const opened = await collect(
      (
        new Response((await sealed) as Uint8Array<ArrayBuffer>).body as ReadableStream<Uint8Array>
      ).pipeThrough(cipher.decryptStream(OPTIONS)),
    )
    return [1, 2, 3, 4, 5].map((i) => opened[(i - 1) * 1_000 + 500] === i)
  },
}

/** Two transforms as one. */
function chain(first: Transform, second: Transform): Transform {
  return { writable: first.writable, readable: first.readable.pipeThrough(second) }
}

const app = {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const name = decodeURIComponent(pathname.slice(1))
    const body = request.body as ReadableStream<Uint8Array>
    if (name === 'encrypt')
      return new Response(body.pipeThrough(clientOf(env).encryptStream(OPTIONS)))
    if (name === 'decrypt')
      return new Response(body.pipeThrough(clientOf(env).decryptStream(OPTIONS)))
    const run = cases[name]
    if (run === undefined) return new Response('no such case', { status: 404 })
    return Response.json((await run(env, searchParams)) ?? null)
  },
}

export default app
