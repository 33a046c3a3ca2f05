import { describe, expect, it } from 'vitest'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  isKmsError,
  KmsError,
  MultiKms,
  type MultiKmsOptions,
} from '../../../src/index.ts'
import type { KeyManagementService } from '../../../src/kms/index.ts'
import { createLocalKms, LocalKms } from '../../../src/providers/local/index.ts'
import { kmsContract } from '../../../src/testing/index.ts'
import { runContract } from '../../support/contract.ts'

const local = (kekId: string, usage?: 'encrypt' | 'decrypt'): LocalKms =>
  new LocalKms({
    kekId,
    versions: [{ version: 1, key: KEYS }],
    ...(usage !== undefined && { usage }),
  })
const KEYS = crypto.getRandomValues(new Uint8Array(32))
const options = { context: { tenant: 'acme' }, aad: { row: '1' } }
const data = new TextEncoder().encode('4111 1111')

class Down extends LocalKms {
  override unwrapDataKey(): never {
    throw new KmsError('ERR_KMS_UNAVAILABLE')
  }
  override wrapDataKey(): never {
    throw new KmsError('ERR_KMS_UNAVAILABLE')
  }
}
const down = (kekId: string): KeyManagementService =>
  new Down({ kekId, versions: [{ version: 1, key: KEYS }] })

describe('contract: two local KEKs', () => {
  const create = (): MultiKms => new MultiKms({ read: [local('a'), local('b')] })
  runContract(
    kmsContract(create().capabilities, {
      create,
      createOther: () => new MultiKms({ read: [local('c'), local('d')] }),
    }),
  )
})

describe('MultiKms', () => {
  it('R26 writes a wrap for each KEK, and either one opens it', async () => {
    const both = new EnvelopeCipher({ kms: new MultiKms({ read: [local('a'), local('b')] }) })
    const envelope = await both.encrypt(data, options)
    expect(EncryptedEnvelope.parse(envelope).wraps.map((wrap) => wrap.kekId)).toEqual(['a', 'b'])
    for (const kms of [local('a'), local('b'), new MultiKms({ read: [down('a'), local('b')] })]) {
      expect(await new EnvelopeCipher({ kms }).decrypt(envelope, options)).toEqual(data)
    }
  })

  it('W3.28: tries the KEKs in the order of its own configuration, not of the message', async () => {
    const envelope = await new EnvelopeCipher({
      kms: new MultiKms({ read: [local('a'), local('b')] }),
    }).encrypt(data, options)
    const order: string[] = []
    class Noting extends LocalKms {
      override unwrapDataKey(
        ...[wraps, call]: Parameters<LocalKms['unwrapDataKey']>
      ): ReturnType<LocalKms['unwrapDataKey']> {
        order.push(...wraps.map((wrap) => wrap.kekId))
        return super.unwrapDataKey(wraps, call)
      }
    }
    const noting = (kekId: string): LocalKms =>
      new Noting({ kekId, versions: [{ version: 1, key: KEYS }] })
    await new EnvelopeCipher({ kms: new MultiKms({ read: [noting('b'), noting('a')] }) }).decrypt(
      envelope,
      options,
    )
    expect(order).toEqual(['b'])
  })

  it('an outage of one KEK is not proof that the message is bad', async () => {
    const kms = new MultiKms({ read: [local('a'), local('b')] })
    const envelope = await new EnvelopeCipher({ kms }).encrypt(data, options)
    const other = createLocalKms({
      kekId: 'b',
      versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
    })
    for (const read of [
      [down('a'), other],
      [other, down('a')],
    ]) {
      const error: unknown = await new EnvelopeCipher({ kms: new MultiKms({ read }) })
        .decrypt(envelope, options)
        .catch((e: unknown) => e)
      expect(isKmsError(error) && error.code).toBe('ERR_KMS_UNAVAILABLE')
    }
  })

  it('writing needs every KEK', async () => {
    const kms = new MultiKms({ read: [local('a'), down('b')] })
    await expect(new EnvelopeCipher({ kms }).encrypt(data, options)).rejects.toMatchObject({
      code: 'ERR_KMS_UNAVAILABLE',
    })
  })

  it('moves an envelope from one KEK to another, its body unchanged', async () => {
    const envelope = await new EnvelopeCipher({ kms: local('old') }).encrypt(data, options)
    const kms = new MultiKms({
      read: [local('new'), local('old', 'decrypt')],
      write: [local('new')],
    })
    const moved = await new EnvelopeCipher({ kms }).rewrap(envelope, { context: options.context })
    expect(EncryptedEnvelope.parse(moved).wraps.map((wrap) => wrap.kekId)).toEqual(['new'])
    expect(moved.slice(-data.length - 28)).toEqual(envelope.slice(-data.length - 28))
    expect(await new EnvelopeCipher({ kms: local('new') }).decrypt(moved, options)).toEqual(data)
  })

  it('refuses members that cannot do their part', () => {
    expect(() => new MultiKms({ read: [] })).toThrow(KmsError)
    expect(() => new MultiKms({ read: [local('a', 'encrypt')] })).toThrow(KmsError)
    expect(() => new MultiKms({ read: [], write: [local('a', 'decrypt')] })).toThrow(KmsError)
    const some = [local('a'), local('b', 'encrypt'), local('c', 'decrypt')] as const
    expect(() => new MultiKms({ read: some.slice(0, 2) })).toThrow(KmsError)
    expect(() => new MultiKms({ read: [], write: [some[0], some[2]] })).toThrow(KmsError)
  })

  it.each<[string, object]>([
    ['no list', {}],
    ['one KMS', { read: local('a') }],
    ['a list with a hole', { read: [local('a'), undefined] }],
    ['a list of something else', { read: [{}] }],
    ['one KMS to write to', { read: [local('a')], write: local('a') }],
    ['a misspelt option', { reads: [local('a')], read: [local('a')] }],
  ])('refuses %s', (_, given) => {
    expect(() => new MultiKms(given as MultiKmsOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
  })
})
