import type { Random } from './random.ts'
import { EVERYWHERE, currentScope } from './scope.ts'
import type { Scheduler } from './scheduler.ts'

const METHODS = ['encrypt', 'decrypt', 'deriveBits', 'deriveKey', 'importKey', 'sign'] as const
const MORE = ['digest', 'verify', 'exportKey', 'generateKey'] as const

/** The longest that a call of WebCrypto takes here; what matters is that they overtake each other. */
const MOST_MS = 3

/**
 * Puts a gate before the real WebCrypto: a call starts at once on the platform's threads, and its
 * result is let through at a seeded virtual time, whenever it really came. Returns what undoes it.
 */
export function gateSubtle(scheduler: Scheduler, random: Random): () => void {
  const real = crypto.subtle
  const gate = Object.create(null) as Record<string, unknown>
  for (const method of [...METHODS, ...MORE]) {
    const call = real[method] as (...args: unknown[]) => Promise<unknown>
    gate[method] = (...args: unknown[]) => {
      const result = call.apply(real, args)
      result.catch(() => undefined)
      // On Workers crypto is not I/O: it does not end with the request that began it.
      const scope = currentScope()?.isolate ?? EVERYWHERE
      return new Promise((resolve, reject) => {
        scheduler.after(random.int(0, MOST_MS), scope, () => result.then(resolve, reject))
      })
    }
  }
  const descriptor = { configurable: true, get: () => gate }
  Object.defineProperty(crypto, 'subtle', descriptor)
  return () => {
    // The prototype's own property shows again.
    Reflect.deleteProperty(crypto, 'subtle')
  }
}
