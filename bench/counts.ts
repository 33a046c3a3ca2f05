import type { KeyManagementService } from '../src/index.ts'
import { newCipher, newKms, newOptions, pattern } from './fixtures.ts'

const TIMES = 64

/** Calls per operation, on the cached path. */
export interface CallCount {
  readonly name: string
  readonly aead: number
  readonly digests: number
  readonly otherSubtle: number
  readonly kms: number
  readonly pass: boolean
}

/** Counts instead of timing, so that the counters cost no measurement anything. */
export async function countCalls(): Promise<readonly CallCount[]> {
  const real = globalThis.crypto
  const calls = new Map<string, number>()
  const count = (name: string): void => void calls.set(name, (calls.get(name) ?? 0) + 1)
  const replacement = {
    subtle: counting(real.subtle, (name) => {
      count(`subtle.${name}`)
    }),
    getRandomValues: real.getRandomValues.bind(real),
  }
  Object.defineProperty(globalThis, 'crypto', { value: replacement, configurable: true })
  try {
    return await countEach(calls, (name) => {
      count(`kms.${name}`)
    })
  } finally {
    Object.defineProperty(globalThis, 'crypto', { value: real, configurable: true })
  }
}

async function countEach(
  calls: Map<string, number>,
  onKms: (name: string) => void,
): Promise<readonly CallCount[]> {
  const cipher = newCipher(counting<KeyManagementService>(newKms(), onKms))
  const plaintext = pattern(256)
  const envelope = await cipher.encrypt(plaintext, newOptions())
  if (calls.size === 0) throw new Error('the counters see nothing')
  const times = <T>(make: () => T): T[] => Array.from({ length: TIMES }, make)
  const each = (work: () => Promise<unknown>) => () => Promise.all(times(work))
  const operations: Readonly<Record<string, () => Promise<unknown>>> = {
    encrypt: each(() => cipher.encrypt(plaintext, newOptions())),
    decrypt: each(() => cipher.decrypt(envelope, newOptions())),
    encryptMany: () => cipher.encryptMany(times(() => ({ ...newOptions(), plaintext }))),
    decryptMany: () => cipher.decryptMany(times(() => ({ ...newOptions(), envelope }))),
  }
  const rows: CallCount[] = []
  for (const [name, work] of Object.entries(operations)) {
    calls.clear()
    await work()
    const sum = (wanted: (call: string) => boolean): number =>
      [...calls].reduce((total, [call, n]) => total + (wanted(call) ? n : 0), 0) / TIMES
    const aead = sum((call) => call === 'subtle.encrypt' || call === 'subtle.decrypt')
    const digests = sum((call) => call === 'subtle.digest')
    const otherSubtle = sum((call) => call.startsWith('subtle.')) - aead - digests
    const kms = sum((call) => call.startsWith('kms.'))
    const pass = aead === 1 && digests === 0 && otherSubtle === 0 && kms === 0
    rows.push({ name, aead, digests, otherSubtle, kms, pass })
  }
  return rows
}

/** The same object, its methods bound and counted. */
export function counting<T extends object>(target: T, onCall: (name: string) => void): T {
  return new Proxy(target, {
    get(_, name): unknown {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        // Answered from configuration: no call to a KMS.
        if (name !== 'canUnwrap') onCall(String(name))
        return Reflect.apply(value, target, args) as unknown
      }
    },
  })
}
