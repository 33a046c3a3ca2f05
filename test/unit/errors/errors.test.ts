import { describe, expect, it, vi } from 'vitest'
import {
  fromKmsResult,
  isKmsError,
  KMS_ERROR_CODES,
  KmsError,
  type KmsErrorCode,
  toKmsResult,
} from '../../../src/index.ts'

const DETAILS = {
  message: 'a sentence',
  provider: 'aws-kms',
  operation: 'Decrypt',
  status: 503,
  requestId: 'r-1',
  retryAfterMs: 2_000,
  retryable: true,
  cause: new Error('CANARY'),
}
const RETRYABLE: readonly KmsErrorCode[] = [
  'ERR_ENVELOPE_UNKNOWN_REFERENCE',
  'ERR_KMS_THROTTLED',
  'ERR_KMS_UNAVAILABLE',
  'ERR_KMS_TIMEOUT',
  'ERR_STORE_UNAVAILABLE',
]

function caught(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

describe('an error', () => {
  it.each(KMS_ERROR_CODES)('has a sentence and a default: %s', (code) => {
    const error = new KmsError(code)
    expect(error).toMatchObject({ name: 'KmsError', code, retryable: RETRYABLE.includes(code) })
    expect(error.message).not.toBe('')
    expect(error).not.toHaveProperty('cause')
    expect(Object.keys(error.toJSON())).toEqual(['name', 'code', 'message', 'retryable'])
  })

  it('carries what it was given', () => {
    const error = new KmsError('ERR_KMS_ACCESS_DENIED', DETAILS)
    expect(error).toMatchObject(DETAILS)
    expect(error).toBeInstanceOf(Error)
  })

  it('prints as plain data without its cause and stack', () => {
    const { cause, ...plain } = DETAILS
    const error = new KmsError('ERR_KMS_ACCESS_DENIED', { ...plain, cause })
    const data = JSON.parse(JSON.stringify(error)) as unknown
    expect(data).toEqual({ name: 'KmsError', code: 'ERR_KMS_ACCESS_DENIED', ...plain })
    expect(JSON.stringify(error)).not.toContain('CANARY')
  })

  it('of decryption says nothing about its reason (R11)', () => {
    const plain = new KmsError('ERR_DECRYPT_FAILED')
    const detailed = new KmsError('ERR_DECRYPT_FAILED', DETAILS)
    expect(detailed.toJSON()).toEqual(plain.toJSON())
    expect(Reflect.ownKeys(detailed)).toEqual(Reflect.ownKeys(plain))
    expect(detailed.retryable).toBe(false)
    expect(detailed).not.toHaveProperty('cause')
    expect(detailed.message).toBe(plain.message)
  })

  it('lists each code once, and the list cannot be changed', () => {
    expect(new Set(KMS_ERROR_CODES).size).toBe(KMS_ERROR_CODES.length)
    expect(Object.isFrozen(KMS_ERROR_CODES)).toBe(true)
  })
})

describe('the brand', () => {
  it('is known to another copy of the package, where instanceof is not', async () => {
    vi.resetModules()
    const copy = await import('../../../src/errors.ts')
    expect(copy.KmsError).not.toBe(KmsError)
    const theirs = new copy.KmsError('ERR_KMS_TIMEOUT')
    const ours = new KmsError('ERR_KMS_TIMEOUT')
    expect(theirs).not.toBeInstanceOf(KmsError)
    expect(isKmsError(theirs)).toBe(true)
    expect(copy.isKmsError(ours)).toBe(true)
    expect(isKmsError(theirs, 'ERR_KMS_TIMEOUT')).toBe(true)
    expect(isKmsError(theirs, 'ERR_KMS_THROTTLED')).toBe(false)
    const result = await toKmsResult(Promise.reject(theirs))
    expect(result).toMatchObject({ ok: false, error: { code: 'ERR_KMS_TIMEOUT' } })
  })

  it.each([
    undefined,
    null,
    'ERR_KMS_TIMEOUT',
    1,
    {},
    new Error('x'),
    { name: 'KmsError', code: 'ERR_KMS_TIMEOUT', message: '', retryable: true },
    Object.assign(new Error('x'), { name: 'KmsError', code: 'ERR_KMS_TIMEOUT' }),
  ])('is not on a value that only looks like an error: %o', (value) => {
    expect(isKmsError(value)).toBe(false)
  })

  it('is not copied with the properties', () => {
    const error = new KmsError('ERR_KMS_TIMEOUT')
    expect(Object.getOwnPropertySymbols({ ...error })).toEqual([])
  })
})

describe('a result', () => {
  it('carries a value over and back', async () => {
    const result = structuredClone(await toKmsResult(Promise.resolve([1, 2])))
    expect(result).toEqual({ ok: true, value: [1, 2] })
    expect(fromKmsResult(result)).toEqual([1, 2])
  })

  it.each(KMS_ERROR_CODES)('carries %s over and back', async (code) => {
    const { cause: _, ...plain } = DETAILS
    const error = new KmsError(code, { ...plain, retryable: false })
    const result = structuredClone(await toKmsResult(Promise.reject(error)))
    const again = caught(() => fromKmsResult(result))
    expect(again).toBeInstanceOf(KmsError)
    expect((again as KmsError).toJSON()).toEqual(error.toJSON())
  })

  it('lets through what is not an error of ours', async () => {
    const mistake = new TypeError('a mistake')
    await expect(toKmsResult(Promise.reject(mistake))).rejects.toBe(mistake)
  })
})

it('a result with a code of another version is a response that is not valid', () => {
  const data = new KmsError('ERR_KMS_TIMEOUT').toJSON()
  const result = { ok: false, error: { ...data, code: 'ERR_NEW' } } as never
  expect(caught(() => fromKmsResult(result))).toMatchObject({ code: 'ERR_KMS_RESPONSE_INVALID' })
})
