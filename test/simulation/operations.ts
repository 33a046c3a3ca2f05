import type { EncryptionContext, Outcome } from '../../src/index.ts'
import type { Written } from './judge.ts'
import type { Random } from './random.ts'
import type { Life } from './world.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** The operation that one request asks a cipher for. */
export interface Operation {
  readonly kind: 'encrypt' | 'encryptMany' | 'decrypt' | 'decryptMany' | 'rewrap'
  readonly tenant: string
  /** Messages that it writes. */
  readonly messages: number
  readonly hostile: boolean
  /** Its key must be in the data-key store. */
  readonly durable: boolean
  run(life: Life, options: CallOptions): Promise<Done>
}

export interface CallOptions {
  readonly signal: AbortSignal
  readonly defer: ((work: Promise<unknown>) => void) | undefined
}

/** The outcome of an operation. */
export interface Done {
  readonly wrote: readonly Written[]
  /** Written before, under other wraps now. */
  readonly rewrapped: readonly Written[]
  readonly opened: readonly { readonly plaintext: Uint8Array; readonly from: Written }[]
  readonly errors: readonly unknown[]
  /** It opened, and must not have. */
  readonly foreign?: boolean
}

const NOTHING: Done = { wrote: [], rewrapped: [], opened: [], errors: [] }

const contextOf = (tenant: string): EncryptionContext => ({ tenant })

function draftOf(tenant: string, random: Random): Omit<Written, 'envelope'> {
  const plaintext = random.fill(new Uint8Array(random.int(0, 40)))
  return { plaintext, tenant, row: String(random.int(0, 9)) }
}

/** Writes one message. */
export function encryption(tenant: string, byReference: boolean, random: Random): Operation {
  const draft = draftOf(tenant, random)
  return {
    kind: 'encrypt',
    tenant,
    messages: 1,
    hostile: false,
    durable: byReference,
    async run({ cipher }, options) {
      const form = byReference ? 'reference' : 'inline'
      const aad = { row: draft.row }
      const context = contextOf(tenant)
      const envelope = await cipher.encrypt(draft.plaintext, { ...options, context, aad, form })
      return { ...NOTHING, wrote: [{ ...draft, envelope }] }
    },
  }
}

/** Writes several at once. */
export function batchEncryption(tenant: string, byReference: boolean, random: Random): Operation {
  const drafts = Array.from({ length: random.int(1, 6) }, () => draftOf(tenant, random))
  return {
    kind: 'encryptMany',
    tenant,
    messages: drafts.length,
    hostile: false,
    durable: byReference,
    async run({ cipher }, options) {
      const form = byReference ? 'reference' : 'inline'
      const items = drafts.map(({ plaintext, row }) => {
        return { plaintext, context: contextOf(tenant), aad: { row }, form } as const
      })
      return sort(await cipher.encryptMany(items, options), (envelope, i) => {
        return { wrote: { ...(drafts[i] as Written), envelope } }
      })
    },
  }
}

/** Reads what was written. */
export function decryption(from: Written): Operation {
  return {
    kind: 'decrypt',
    tenant: from.tenant,
    messages: 0,
    hostile: false,
    durable: false,
    async run({ cipher }, options) {
      const given = { context: contextOf(from.tenant), aad: { row: from.row } }
      const plaintext = await cipher.decrypt(from.envelope, { ...options, ...given })
      return { ...NOTHING, opened: [{ plaintext, from }] }
    },
  }
}

/** Reads several at once. */
export function batchDecryption(list: readonly Written[]): Operation {
  return {
    kind: 'decryptMany',
    tenant: list[0]?.tenant ?? '',
    messages: 0,
    hostile: false,
    durable: false,
    async run({ cipher }, options) {
      const items = list.map(({ envelope, tenant, row }) => {
        return { envelope, context: contextOf(tenant), aad: { row } }
      })
      return sort(await cipher.decryptMany(items, options), (plaintext, i) => {
        return { opened: { plaintext, from: list[i] as Written } }
      })
    },
  }
}

/** Another wrap, the same body. */
export function rewrapping(from: Written): Operation {
  return {
    kind: 'rewrap',
    tenant: from.tenant,
    messages: 0,
    hostile: false,
    durable: false,
    async run({ cipher }, options) {
      const envelope = await cipher.rewrap(from.envelope, {
        ...options,
        context: contextOf(from.tenant),
      })
      return { ...NOTHING, rewrapped: [{ ...from, envelope }] }
    },
  }
}

/** Asks for what must not be given: for another tenant, another row, or with one bit changed. */
export function attack(from: Written, random: Random): Operation {
  const how = random.pick(['tenant', 'row', 'bit'] as const)
  const envelope: Bytes = from.envelope.slice()
  const at = random.int(0, envelope.length - 1)
  if (how === 'bit') envelope[at] = (envelope[at] as number) ^ (1 << random.int(0, 7))
  const asked = how === 'bit' ? { ...from, envelope } : { ...from, [how]: 'other' }
  return {
    ...decryption(asked),
    hostile: true,
    async run(life, options) {
      const done = await decryption(asked).run(life, options)
      // A wrap is not part of a key's identity: with another one, a held key opens what it always did.
      return { ...done, foreign: how !== 'bit' }
    },
  }
}

function sort<T>(
  outcomes: readonly Outcome<T>[],
  take: (
    value: T,
    i: number,
  ) => { readonly wrote?: Written; readonly opened?: Done['opened'][number] },
): Done {
  const wrote: Written[] = []
  const opened: Done['opened'][number][] = []
  const errors: unknown[] = []
  outcomes.forEach((outcome, i) => {
    if (!outcome.ok) {
      errors.push(outcome.error)
      return
    }
    const taken = take(outcome.value, i)
    if (taken.wrote !== undefined) wrote.push(taken.wrote)
    if (taken.opened !== undefined) opened.push(taken.opened)
  })
  return { wrote, rewrapped: [], opened, errors }
}
