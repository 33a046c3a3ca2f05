// A service is code of others: what it throws leaves as an error of ours, without its words.
import { describe, expect, it } from 'vitest'
import {
  composeKms,
  EnvelopeCipher,
  isKmsError,
  KmsError,
  type KeyManagementService,
  MultiKms,
  type Outcome,
} from '../../../src/index.ts'
import { createGateway } from '../../../adapters/gateway/index.ts'
import { ScriptedKms } from '../../support/scripted-kms.ts'
import { sequence } from '../wire/fixture.ts'

const WORDS = 'the words of the vendor'
const raw = (): never => {
  throw new Error(WORDS)
}
const own = (over: object): KeyManagementService => Object.assign(new ScriptedKms(), over)
const thrown = (work: () => Promise<unknown>): Promise<unknown> =>
  work().then(
    () => undefined,
    (error: unknown) => error,
  )
const codesOf = (outcomes: readonly Outcome<unknown>[]): readonly string[] =>
  outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.code))

describe.each<[string, (kms: KeyManagementService) => KeyManagementService]>([
  ['a stack', (kms) => composeKms(kms, { retry: false })],
  ['a bare MultiKms', (kms) => new MultiKms({ read: [kms] })],
])('%s over a service that throws errors of its own', (_, over) => {
  it.each(['currentVersion', 'rotateKey'] as const)('%s rejects with a code', async (method) => {
    for (const fails of [raw, () => Promise.reject(new Error(WORDS))]) {
      const error = await thrown(() => over(own({ [method]: fails }))[method]({}))
      expect(error).toMatchObject({ code: 'ERR_KMS_UNAVAILABLE' })
      expect((error as Error).message).not.toContain(WORDS)
    }
  })

  it('a code from another version is not passed on', async () => {
    const future = new KmsError('ERR_KMS_TIMEOUT')
    Object.defineProperty(future, 'code', { value: 'ERR_FROM_THE_FUTURE' })
    const kms = over(own({ currentVersion: () => Promise.reject(future) }))
    expect(await thrown(() => kms.currentVersion({}))).toMatchObject({
      code: 'ERR_KMS_RESPONSE_INVALID',
    })
  })

  it('healthCheck reports it as not healthy', async () => {
    const report = await over(own({ healthCheck: raw })).healthCheck({})
    expect(report).toMatchObject({ healthy: false, checks: [{ code: 'ERR_KMS_UNAVAILABLE' }] })
  })
})

it('/readyz of the gateway answers 503 for it', async () => {
  const kms = composeKms(own({ healthCheck: raw }))
  const gateway = createGateway({ cipher: new EnvelopeCipher({ kms }), kms })
  const answer = await gateway.fetch(new Request('http://localhost/readyz'))
  expect(answer.status).toBe(503)
  expect(await answer.text()).not.toContain(WORDS)
})

it.each<[string, () => unknown]>([
  ['throws', raw],
  ['answers a promise', () => Promise.resolve(false)],
  ['answers nothing', () => undefined],
])('a canUnwrap that %s fails its item with a code, not the batch', async (_, canUnwrap) => {
  const good = new ScriptedKms()
  const envelope = await new EnvelopeCipher({ kms: good }).encrypt(sequence(9))
  for (const kms of [own({ canUnwrap }), composeKms(own({ canUnwrap }))]) {
    const cipher = new EnvelopeCipher({ kms })
    const outcomes = await cipher.decryptMany([{ envelope }, { envelope: sequence(3) }])
    expect(codesOf(outcomes)).toEqual(['ERR_KMS_RESPONSE_INVALID', 'ERR_WIRE_MALFORMED'])
    const error = await thrown(() => cipher.decrypt(envelope))
    expect(isKmsError(error, 'ERR_KMS_RESPONSE_INVALID') && error.message).not.toContain(WORDS)
  }
})

it('a DEK that cannot be wiped is not taken, and fails its item with a code, not the batch', async () => {
  const inner = new ScriptedKms()
  const generateDataKey: KeyManagementService['generateDataKey'] = async (options) => {
    const { plaintext, wraps } = await inner.generateDataKey(options)
    const bytes = plaintext.expose()
    return { plaintext: { expose: () => bytes, length: 32 } as never, wraps }
  }
  for (const kms of [own({ generateDataKey }), composeKms(own({ generateDataKey }))]) {
    const cipher = new EnvelopeCipher({ kms })
    const outcomes = await cipher.encryptMany([{ plaintext: sequence(9) }])
    expect(codesOf(outcomes)).toEqual(['ERR_KMS_RESPONSE_INVALID'])
  }
})
