import {
  type EncryptionContext,
  type Outcome,
  SecretBytes,
  type UnwrappedDataKey,
} from '../../../src/index.ts'
import type { KmsCallOptions, KmsSignalOptions } from '../../../src/kms/index.ts'
import type { Random } from '../random.ts'
import type { Wrapped } from './judge.ts'
import type { Life, OutageWorld } from './world.ts'

/** One call of the stack, and what the judge learns of its answer. */
export interface StackCall {
  readonly kind: string
  /** It gives a context that is not the wrap's. */
  readonly wrong: boolean
  /** The KEKs that could open what it is about. */
  readonly readers: readonly string[]
  run(life: Life, options: KmsSignalOptions): Promise<void>
}

const readersOf = ({ wraps }: Wrapped): string[] => wraps.map(({ provider }) => provider)

/** A call that somebody makes now. */
export function callOf(world: OutageWorld, random: Random, n: number): StackCall {
  const { wrapped } = world.judge
  const what = random.next()
  const fresh = { tenant: `t${String(random.int(1, 3))}`, 'edge-kms:dk': `dk-${String(n)}` }
  if (what < 0.38 || wrapped.length === 0) return generation(world, fresh)
  const from = random.pick(wrapped.slice(-40))
  if (what < 0.44) return wrapping(world, { ...from, context: fresh })
  if (what < 0.74) return unwrapping(world, from)
  if (what < 0.8) return unwrapping(world, { ...from, context: fresh }, true)
  if (what < 0.88) {
    const items = Array.from({ length: random.int(1, 4) }, () => random.pick(wrapped))
    return batch(world, [...new Set(items)])
  }
  if (what < 0.92) return rewrapping(world, from)
  return managing(world, random)
}

export function generation({ judge }: OutageWorld, context: EncryptionContext): StackCall {
  return {
    ...{ kind: 'generateDataKey', wrong: false, readers: [] },
    async run({ kms }, options) {
      const { plaintext, wraps } = await kms.generateDataKey({ ...options, context })
      const dek = plaintext.expose().slice()
      plaintext.dispose()
      judge.wrote({ wraps, context, dek })
    },
  }
}

function wrapping({ judge }: OutageWorld, { dek, context }: Wrapped): StackCall {
  return {
    ...{ kind: 'wrapDataKey', wrong: false, readers: [] },
    async run({ kms }, options) {
      const plaintext = SecretBytes.copy(dek)
      const wraps = await kms.wrapDataKey(plaintext, { ...options, context })
      judge.wrote({ wraps, context, dek })
    },
  }
}

export function unwrapping({ judge }: OutageWorld, from: Wrapped, wrong = false): StackCall {
  return {
    ...{ kind: 'unwrapDataKey', wrong, readers: readersOf(from) },
    async run({ kms, isolate }, options) {
      judge.reads(isolate.name)
      const { context, wraps } = from
      const given: KmsCallOptions = { ...options, context }
      const { plaintext } = await kms.unwrapDataKey(wraps, given)
      judge.opened(plaintext.expose(), from)
      plaintext.dispose()
      if (wrong) judge.blame('opens', 'a wrap opens under another context')
    },
  }
}

function batch({ judge }: OutageWorld, items: readonly Wrapped[]): StackCall {
  return {
    ...{ kind: 'unwrapMany', wrong: false, readers: [] },
    async run({ kms, isolate }, options) {
      for (let i = 0; i < items.length; i++) judge.reads(isolate.name)
      const outcomes: readonly Outcome<UnwrappedDataKey>[] = await kms.unwrapMany(items, options)
      if (outcomes.length !== items.length) judge.blame('opens', 'a batch lost an item')
      let failure: unknown
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome.ok) {
          judge.opened(outcome.value.plaintext.expose(), items[i] as Wrapped)
          outcome.value.plaintext.dispose()
        } else failure = outcome.error
      }
      if (failure !== undefined) throw failure as Error
    },
  }
}

function rewrapping({ judge }: OutageWorld, { wraps, context, dek }: Wrapped): StackCall {
  return {
    ...{ kind: 'rewrapDataKey', wrong: false, readers: [] },
    async run({ kms, isolate }, options) {
      judge.reads(isolate.name)
      const made = await kms.rewrapDataKey(wraps, { ...options, context })
      judge.wrote({ wraps: made, context, dek })
    },
  }
}

function managing({ judge }: OutageWorld, random: Random): StackCall {
  const kind = random.pick(['currentVersion', 'rotateKey', 'healthCheck'] as const)
  return {
    ...{ kind, wrong: false, readers: [] },
    async run({ kms }, options) {
      if (kind === 'rotateKey') judge.rotations += 1
      await kms[kind](options)
    },
  }
}
