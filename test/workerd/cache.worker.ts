import {
  CachedKms,
  type EncryptOptions,
  EnvelopeCipher,
  type GeneratedDataKey,
  type KmsCallOptions,
  type Network,
  type UnwrappedDataKey,
  type WrappedKey,
} from '../../src/index.ts'
import { webNetwork } from '../../src/runtime/index.ts'
import { PlainKms } from '../unit/wire/fixture.ts'

/** The context that workerd gives a handler. */
interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void
}

/** A KMS behind `fetch`: its answers belong to the request that asked. */
class FetchedKms extends PlainKms {
  override async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    await ask('generate', options)
    return super.generateDataKey(options)
  }

  override async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    await ask('unwrap', options)
    return super.unwrapDataKey(wraps, options)
  }
}

async function ask(name: string, { signal }: KmsCallOptions): Promise<void> {
  const response = await fetch(`https://kms.test/${name}`, { signal: signal ?? null })
  if (!response.ok) throw new Error('the KMS is down')
  await response.text()
}

/** Time that a follower waits for another's call where no test is about that: longer than any test runs. */
const PATIENCE_MS = 60_000
let waitMs = PATIENCE_MS

/**
 * Real timers. How long the first one of a call takes is what its request says, so that no slow
 * machine makes a follower impatient; those after it take long.
 */
const network: Network = {
  ...webNetwork,
  after: (_, callback) => webNetwork.after(waitMs, callback),
}

function waitingFor<T>(firstMs: number, work: () => T): T {
  waitMs = firstMs
  try {
    return work()
  } finally {
    waitMs = PATIENCE_MS
  }
}

// At module scope, where workerd forbids I/O, timers and random numbers.
const keys = new CachedKms({ kms: new FetchedKms(), network })
const cipher = new EnvelopeCipher({ keys })
const encoder = new TextEncoder()

/** The control: what everyone writes first. */
let naive: Promise<string> | undefined
/** And what cannot be shared at all. */
let response: Response | undefined

async function encrypt(options: EncryptOptions): Promise<Response> {
  return new Response(await cipher.encrypt(encoder.encode('text'), options))
}

/** Until the KMS has been asked: what was not sent is dropped when the request answers. */
const reachKms = async (): Promise<void> => {
  await (await fetch('https://gate.test/asked')).text()
}

type Handler = (request: Request, options: EncryptOptions) => Promise<Response>

const routes: Readonly<Record<string, Handler>> = {
  '/encrypt': (_, options) => encrypt(options),
  '/encrypt-50': async (_, options) => {
    const all = await Promise.all(Array.from({ length: 50 }, () => encrypt(options)))
    return all[0] as Response
  },
  '/decrypt': async (request, options) =>
    new Response(await cipher.decrypt(new Uint8Array(await request.arrayBuffer()), options)),
  /** Answers while its KMS call is under way, with nothing that keeps the call alive. */
  '/encrypt-and-leave': async (_, options) => {
    void encrypt(options).catch(() => undefined)
    await reachKms()
    return new Response('left')
  },
  '/encrypt-and-throw': async (_, options) => {
    void encrypt(options).catch(() => undefined)
    await reachKms()
    throw new Error('thrown')
  },
  '/encrypt-and-abort': async (_, options) => {
    const abort = new AbortController()
    const pending = encrypt({ ...options, signal: abort.signal })
    await reachKms()
    abort.abort(new Error('aborted'))
    return pending.catch((error: unknown) => new Response((error as Error).message))
  },
  '/naive-and-leave': async () => {
    naive = fetch('https://kms.test/naive').then((answer) => answer.text())
    void naive.catch(() => undefined)
    await reachKms()
    return new Response('left')
  },
  '/naive': async () => {
    const timer = new Promise<string>((resolve) => setTimeout(resolve, 1_000, 'hung'))
    return new Response(await Promise.race([naive, timer]))
  },
  '/response': async () => {
    response ??= await fetch('https://kms.test/response')
    return new Response(await response.clone().text())
  },
}

export default {
  async fetch(request: Request, _env: unknown, execution: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const context = { tenant: searchParams.get('tenant') ?? '' }
    const defer = (work: Promise<unknown>): void => {
      execution.waitUntil(work)
    }
    const options = { context, ...(searchParams.has('defer') && { defer }) }
    const firstMs = Number(searchParams.get('wait') ?? PATIENCE_MS)
    try {
      // Up to its first wait a call runs in this turn.
      return await waitingFor(firstMs, () => (routes[pathname] as Handler)(request, options))
    } catch (error) {
      return new Response((error as Error).message, { status: 500 })
    }
  },
}
