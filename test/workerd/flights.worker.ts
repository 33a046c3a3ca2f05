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
import { FOLLOWER_WAIT_MS } from '../../src/data-keys/cache/parts.ts'
import { SingleFlight, webNetwork } from '../../src/runtime/index.ts'
import { FakeRuntime, PlainKms } from '../unit/wire/fixture.ts'

interface Env {
  readonly CALL_TIMEOUT_MS: number
}

/** The context that workerd gives a handler. */
interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void
}

/** A KMS behind `fetch`: its answers belong to the request that asked. */
class FetchedKms extends PlainKms {
  override async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    await ask(options)
    return super.generateDataKey(options)
  }

  override async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    await ask(options)
    return super.unwrapDataKey(wraps, options)
  }
}

async function ask({ signal }: KmsCallOptions): Promise<void> {
  await (await fetch('https://kms.test/', { signal: signal ?? null })).text()
}

/** Every SingleFlight that the cache uses: the cache itself does not say how many calls are in flight. */
const used = new Set<{ readonly size: number }>()
const run = Object.getOwnPropertyDescriptor(SingleFlight.prototype, 'run')?.value as (
  this: object,
  ...args: unknown[]
) => Promise<unknown>
Object.defineProperty(SingleFlight.prototype, 'run', {
  value(this: SingleFlight<unknown>, ...args: unknown[]) {
    used.add(this)
    return run.apply(this, args)
  },
})

/** Real timers. Counts how often a request waits for the KMS call of another one. */
let waits = 0
const network: Network = {
  ...webNetwork,
  after: (delayMs, callback) => {
    if (delayMs === FOLLOWER_WAIT_MS) waits += 1
    return webNetwork.after(delayMs, callback)
  },
}

/** Its clock stands still until a test moves it, so that no slow machine makes a flight old. */
const runtime = new FakeRuntime()
let cipher: EnvelopeCipher | undefined

function cipherOf({ CALL_TIMEOUT_MS: callTimeoutMs }: Env): EnvelopeCipher {
  const keys = new CachedKms({ kms: new FetchedKms(), network, runtime, callTimeoutMs })
  return new EnvelopeCipher({ keys })
}

/** Makes an envelope without the cache and without its KMS. */
function envelope(options: EncryptOptions): Promise<Uint8Array<ArrayBuffer>> {
  const other = new EnvelopeCipher({ kms: new PlainKms(), runtime, cache: { maxEntries: 0 } })
  return other.encrypt(new Uint8Array(9), options)
}

function state(advanceMs: number): Response {
  runtime.nowMs += advanceMs
  return Response.json({ waits, flights: [...used].reduce((sum, { size }) => sum + size, 0) })
}

export default {
  async fetch(request: Request, env: Env, execution: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const context = { tenant: searchParams.get('tenant') ?? '' }
    if (pathname === '/state') return state(Number(searchParams.get('advance')))
    if (pathname === '/envelope') return new Response(await envelope({ context }))
    const ours = (cipher ??= cipherOf(env))
    const message = new Uint8Array(await request.arrayBuffer())
    const leave = searchParams.get('leave')
    const caller = new AbortController()
    const options = {
      context,
      ...(leave === 'signal' && { signal: caller.signal }),
      ...(leave === 'defer' && {
        defer: (work: Promise<unknown>) => {
          execution.waitUntil(work)
        },
      }),
    }
    const work =
      pathname === '/encrypt' ? ours.encrypt(message, options) : ours.decrypt(message, options)
    if (leave === null || leave === 'client') return new Response(await work)
    const failed = work.then(String, (error: unknown) => (error as Error).message)
    await (await fetch('https://gate.test/')).text()
    if (leave !== 'signal') return new Response('left')
    caller.abort(new Error('left'))
    return new Response(await failed)
  },
}
