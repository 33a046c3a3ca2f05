import { describe, expect, it } from 'vitest'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  KmsError,
  type KeyManagementService,
} from '../../../src/index.ts'
import type {
  ObjectSource,
  RecordPage,
  RewrapObjectCall,
  SwapOutcome,
} from '../../../src/rotation/record-source.ts'
import { createRotationStep } from '../../../src/rotation/rotation-step.ts'
import { CountingKms } from '../envelope/fixture.ts'
import { Clock, kmsAt, newState, runAll } from './fixture.ts'
import { context, encrypted } from './tables.ts'

const PREFIX = 73_728

/** A bucket in memory that rewraps its objects itself. */
class MemoryObjects implements ObjectSource {
  readonly kind = 'objects'
  readonly name = 'files'
  readonly objects = new Map<string, Uint8Array<ArrayBuffer>>()
  readonly calls: (RewrapObjectCall & { readonly id: string })[] = []
  answer: (id: string) => SwapOutcome | undefined = () => undefined
  readonly #cipher: EnvelopeCipher

  constructor(kms: KeyManagementService) {
    this.#cipher = new EnvelopeCipher({ kms, cache: false })
  }

  page(cursor: string | undefined, limit: number): Promise<RecordPage> {
    const ids = [...this.objects.keys()].sort().filter((id) => cursor === undefined || id > cursor)
    const records = ids.slice(0, limit).map((id) => {
      return { id, values: { body: this.objects.get(id)?.subarray(0, PREFIX) ?? null } }
    })
    const last = records.at(-1)?.id
    return Promise.resolve({ records, ...(ids.length > limit && last && { cursor: last }) })
  }

  async rewrap(id: string, options: RewrapObjectCall): Promise<SwapOutcome> {
    this.calls.push({ id, ...options })
    const answer = this.answer(id)
    if (answer !== undefined) return answer
    const old = this.objects.get(id) as Uint8Array<ArrayBuffer>
    this.objects.set(id, await this.#cipher.rewrap(old, { context, verify: options.verify }))
    return 'swapped'
  }
}

async function bucket(objects: number, kms = kmsAt(2)): Promise<MemoryObjects> {
  const source = new MemoryObjects(kms)
  const writer = new EnvelopeCipher({ kms: kmsAt(1), cache: false })
  for (let i = 0; i < objects; i += 1) {
    const body = new Response(new Uint8Array(100_000 + i)).body as ReadableStream<Uint8Array>
    const stream = body.pipeThrough(writer.encryptStream({ context }))
    source.objects.set(`f${String(i)}`, new Uint8Array(await new Response(stream).arrayBuffer()))
  }
  return source
}

describe('objects', () => {
  it('judges objects by their first bytes and has the source rewrap them, counting the calls', async () => {
    const kms = new CountingKms(kmsAt(2))
    const source = await bucket(3, kms)
    source.objects.set('small', await encrypted(2))
    const { ports } = new Clock()
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], pageSize: 2, ...ports })
    const { state } = await runAll(step, newState(source))
    expect(state).toMatchObject({ phase: 'finished', counts: { records: 4, done: 3, current: 1 } })
    expect(state.counts.kmsCalls).toBe(kms.calls.length)
    expect(source.calls.map(({ id, verify }) => `${id} ${verify}`)).toEqual([
      'f0 open',
      'f1 open',
      'f2 open',
    ])
    const [wrap] = EncryptedEnvelope.parse(source.objects.get('f0') ?? '').wraps
    expect(wrap?.kekVersion).toBe('2')
  })

  it('counts a lost race and finds the object with the next sweep', async () => {
    const source = await bucket(1)
    let isLost = true
    source.answer = () => {
      const answer = isLost ? 'lost' : undefined
      isLost = false
      return answer
    }
    const { ports } = new Clock()
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], ...ports })
    const { state } = await runAll(step, newState(source))
    expect(state).toMatchObject({ phase: 'finished', counts: { 'lost-race': 1, done: 1 } })
  })

  it('repeats the page if the bucket does not answer, and blames an object for what it is to blame', async () => {
    const source = await bucket(2)
    source.answer = (id) => {
      if (id === 'f0') throw new KmsError('ERR_DECRYPT_FAILED')
      throw new Error('bucket')
    }
    const { ports } = new Clock()
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], ...ports })
    const first = await step(newState(source))
    expect(first.outage).toMatchObject({ from: 'source', source: 'files' })
    expect(first.failures).toEqual([])
    source.answer = (id) => {
      if (id === 'f0') throw new KmsError('ERR_DECRYPT_FAILED')
      return undefined
    }
    const { state } = await runAll(step, first.state)
    expect(state.counts).toMatchObject({ corrupt: 1, done: 1, records: 2 })
  })
})
