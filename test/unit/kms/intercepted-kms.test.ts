import { describe, expect, it } from 'vitest'
import {
  InterceptedKms,
  type KmsCall,
  type KmsSignalOptions,
  type NextCall,
  type Outcome,
  type UnwrappedDataKey,
} from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { kmsContract } from '../../../src/testing/index.ts'
import { runContract } from '../../support/contract.ts'
import { ScriptedKms } from '../../support/scripted-kms.ts'

/** Notes each call, and gives it a deadline. */
class Noting extends InterceptedKms {
  readonly calls: object[] = []

  protected override async around<T, O extends KmsSignalOptions>(
    call: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    const { operation, callClass, provider, context, wraps, items, keysOf } = call
    const answer = await next({ ...call.options, deadlineMs: 7 })
    const keys = keysOf(answer).map((key) => key.kekId)
    this.calls.push({ operation, callClass, provider, context, wraps, items, keys })
    return answer
  }
}

/** Asks a batch for its second item alone. */
class Choosing extends InterceptedKms {
  protected override around<T, O extends KmsSignalOptions>(
    { options, items }: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    return next(options, items?.slice(1))
  }
}

const context = { tenant: 'acme' }

describe('contract: a decorator that changes nothing', () => {
  const key = crypto.getRandomValues(new Uint8Array(32))
  const local = (kekId: string) =>
    new Noting(createLocalKms({ kekId, versions: [{ version: 1, key }] }))
  const create = () => local('a')
  runContract(kmsContract(create().capabilities, { create, createOther: () => local('b') }))
})

describe('InterceptedKms', () => {
  it('hands each method over as a call, with its class and facts', async () => {
    const kms = new Noting(new ScriptedKms('scripted', { batches: true }))
    const { plaintext, wraps } = await kms.generateDataKey({ context })
    const items = [{ wraps, context }]
    await kms.wrapDataKey(plaintext, { context })
    await kms.unwrapDataKey(wraps, { context })
    await kms.unwrapMany(items, {})
    await kms.rewrapDataKey(wraps, { context })
    await kms.currentVersion({})
    await kms.rotateKey({})
    await kms.healthCheck({})
    const [provider, keys] = ['scripted', ['k']]
    expect(kms.calls).toEqual([
      { operation: 'generateDataKey', callClass: 'encrypt', provider, context, keys },
      { operation: 'wrapDataKey', callClass: 'encrypt', provider, context, keys },
      { operation: 'unwrapDataKey', callClass: 'decrypt', provider, context, wraps, keys },
      { operation: 'unwrapMany', callClass: 'decrypt', provider, items, keys },
      { operation: 'rewrapDataKey', callClass: 'manage', provider, context, wraps, keys },
      { operation: 'currentVersion', callClass: 'manage', provider, keys },
      { operation: 'rotateKey', callClass: 'manage', provider, keys },
      { operation: 'healthCheck', callClass: undefined, provider, keys: [] },
    ])
  })

  it('makes the call with the options of the decorator', async () => {
    const inner = new ScriptedKms()
    const { signal } = new AbortController()
    await new Noting(inner).generateDataKey({ context, signal })
    expect(inner.given).toEqual([{ context, signal, deadlineMs: 7 }])
  })

  it('asks for those items of a batch that the decorator names', async () => {
    const inner = new ScriptedKms('scripted', { batches: true })
    const { wraps } = await inner.generateDataKey({ context })
    const items = [
      { wraps, context },
      { wraps, context },
    ]
    const outcomes: readonly Outcome<UnwrappedDataKey>[] = await new Choosing(inner).unwrapMany(
      items,
      {},
    )
    expect(outcomes).toHaveLength(1)
    expect(inner.calls).toContain('unwrapMany 1')
  })

  it('splits a batch of a service without batches, unless the decorator wants it whole', async () => {
    const inner = new ScriptedKms()
    const { wraps } = await inner.generateDataKey({ context })
    const items = [
      { wraps, context },
      { wraps, context },
    ]
    const operationsOf = async (kms: Noting): Promise<unknown[]> => {
      await kms.unwrapMany(items, {})
      return kms.calls.map((call) => (call as { operation: unknown }).operation)
    }
    expect(await operationsOf(new Noting(inner))).toEqual(['unwrapDataKey', 'unwrapDataKey'])
    expect(await operationsOf(new Noting(inner, { wholeBatches: true }))).toEqual(['unwrapMany'])
  })

  it('begins nothing under a signal that is aborted', async () => {
    const inner = new ScriptedKms()
    const signal = AbortSignal.abort('stop')
    await expect(new Noting(inner).generateDataKey({ context, signal })).rejects.toBe('stop')
    expect(inner.calls).toEqual([])
  })

  it.each([undefined, null, 5, {}])('refuses %j as a KMS', (kms) => {
    expect(() => new Noting(kms as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_KMS_CONFIG',
        message: expect.stringContaining('kms must be a KeyManagementService, got') as string,
      }),
    )
  })
})
