import type { Library, RuntimeCase } from './suite.ts'

const encoder = new TextEncoder()
const message = { context: { tenant: 'acme' }, aad: { row: '42' } }

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

/** The cache on this runtime, over a KMS as behind a network: it answers after a real timer. */
export function cacheCases({ core, local }: Library): readonly RuntimeCase[] {
  type Kms = ReturnType<typeof local.createLocalKms>
  type Cipher = InstanceType<typeof core.EnvelopeCipher>

  /** Its calls by name, and its answers late. */
  function slow(inner: Kms, delayMs: number, calls: string[]): Kms {
    return new Proxy(inner, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        const method = (...args: unknown[]): unknown => Reflect.apply(member, target, args)
        if (name !== 'generateDataKey' && name !== 'unwrapDataKey') return method
        return async (...args: unknown[]): Promise<unknown> => {
          calls.push(name)
          await new Promise((resolve) => setTimeout(resolve, delayMs))
          return method(...args)
        }
      },
    })
  }

  function world(delayMs: number): { readonly calls: string[]; readonly fresh: () => Cipher[] } {
    const key = crypto.getRandomValues(new Uint8Array(32))
    const calls: string[] = []
    const kms = slow(local.createLocalKms({ versions: [{ version: 1, key }] }), delayMs, calls)
    const fresh = (): Cipher[] => [
      new core.EnvelopeCipher({ kms }),
      new core.EnvelopeCipher({ keys: new core.CachedKms({ kms }) }),
    ]
    return { calls, fresh }
  }

  const plaintext = encoder.encode('4111 1111')
  const thousand = <T>(work: () => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: 1_000 }, work))

  return [
    {
      name: 'R15 cache: 1,000 concurrent misses cost 1 KMS call, of writers and of readers',
      run: async () => {
        const { calls, fresh } = world(200)
        for (const [i, cipher] of fresh().entries()) {
          calls.length = 0
          const [envelope] = await thousand(() => cipher.encrypt(plaintext, message))
          check(calls.join() === 'generateDataKey', `${String(calls.length)} calls of writers`)
          calls.length = 0
          const reader = fresh()[i] as Cipher
          await thousand(() => reader.decrypt(envelope as Uint8Array, message))
          check(calls.join() === 'unwrapDataKey', `${String(calls.length)} calls of readers`)
        }
      },
    },
    {
      name: 'R16 cache: an abort ends one wait and no other, and leaves the call to the others',
      run: async () => {
        const { calls, fresh } = world(200)
        for (const cipher of fresh()) {
          calls.length = 0
          const client = new AbortController()
          const { signal } = client
          const leader = cipher.encrypt(plaintext, { ...message, signal })
          const others = thousand(() => cipher.encrypt(plaintext, message))
          client.abort(new Error('gone'))
          const outcome = await leader.then(
            () => 'no error',
            (error: unknown) => (error as Error).message,
          )
          check(outcome === 'gone', outcome)
          await others
          check(calls.length === 1, `${String(calls.length)} calls`)
        }
      },
    },
    {
      name: 'R14 cache: a key at hand asks nobody, and no longer than its TTL',
      run: async () => {
        const { calls, fresh } = world(0)
        const clock = { nowMs: Date.now() }
        const runtime = {
          now: () => clock.nowMs,
          randomFill: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes),
        }
        for (const [i] of fresh().entries()) {
          calls.length = 0
          const key = crypto.getRandomValues(new Uint8Array(32))
          const inner = local.createLocalKms({ versions: [{ version: 1, key }] })
          const kms = slow(inner, 0, calls)
          const keys = new core.CachedKms({ kms, runtime, refreshAheadMs: 0 })
          const cipher = new core.EnvelopeCipher(i === 0 ? { kms, runtime } : { keys, runtime })
          const envelope = await cipher.encrypt(plaintext, message)
          for (let n = 0; n < 100; n++) await cipher.decrypt(envelope, message)
          check(calls.length === 1, `${String(calls.length)} calls in the TTL`)
          clock.nowMs += 300_000
          await cipher.decrypt(envelope, message)
          check(calls.length === 2, `${String(calls.length)} calls after it`)
        }
      },
    },
  ]
}
