import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createFakeAws, type FakeAwsFault } from '../../../../adapters/fakes/index.ts'
import { base64, encrypted, kms, kmsRequest, opened, sts, unbase64 } from './client.ts'

const create = (...faults: readonly FakeAwsFault[]) => {
  const fake = createFakeAws({ keys: [{ alias: 'alias/app' }] })
  fake.faults.push(...faults)
  return fake
}
const KeyId = 'alias/app'
const input = { KeyId, KeySpec: 'AES_256' }
const generate = (fake: ReturnType<typeof create>, options?: object) =>
  kms(fake, 'GenerateDataKey', input, options)

afterEach(() => {
  vi.useRealTimers()
})

/** Until something waits for a timer; vitest's own wait would put the clock forward. */
async function timer() {
  while (vi.getTimerCount() === 0) await setImmediate()
}

/** Work, and whether it is still open after all that is due has run. */
function settles<T>(work: Promise<T>) {
  let open = true
  const close = () => {
    open = false
  }
  work.then(close, close)
  const isOpen = async () => {
    for (let turn = 0; turn < 10; turn++) await setImmediate()
    return open
  }
  return { work, isOpen }
}

describe('fake AWS: faults by script', () => {
  it.each<[FakeAwsFault['kind'], number, string, number, string]>([
    ['throttle', 400, 'ThrottlingException', 400, 'Throttling'],
    ['internal', 500, 'KMSInternalException', 500, 'InternalFailure'],
    ['unavailable', 503, 'ServiceUnavailable', 503, 'ServiceUnavailable'],
  ])('%s', async (kind, status, error, stsStatus, stsError) => {
    const fake = create({ kind, times: 2, retryAfterSeconds: 7 })
    const answer = await generate(fake)
    expect(answer).toMatchObject({ status, error })
    expect(answer.headers.get('retry-after')).toBe('7')
    expect(await sts(fake, { Action: 'GetCallerIdentity' })).toMatchObject({
      status: stsStatus,
      error: stsError,
    })
    expect((await generate(fake)).status).toBe(200)
  })

  it('meets the calls of its operation only, so many times, in order', async () => {
    const fake = create(
      { operation: 'Decrypt', kind: 'internal' },
      { operation: 'GenerateDataKey', kind: 'throttle', times: 2 },
      { operation: 'GenerateDataKey', kind: 'unavailable' },
    )
    const errors = []
    for (let i = 0; i < 4; i++) errors.push((await generate(fake)).error)
    expect(errors).toEqual([
      'ThrottlingException',
      'ThrottlingException',
      'ServiceUnavailable',
      undefined,
    ])
    expect(fake.faults.pending).toMatchObject([{ operation: 'Decrypt', times: 1 }])
    fake.faults.clear()
    expect(await opened(fake, { CiphertextBlob: await encrypted(fake, KeyId) })).toBe('secret')
  })

  it('lasts as long as it is told to', async () => {
    const fake = create({ kind: 'throttle', times: Infinity })
    for (let i = 0; i < 3; i++) expect((await generate(fake)).status).toBe(400)
  })

  it('reset: fetch rejects, and the call is still counted', async () => {
    const fake = create({ kind: 'reset' })
    await expect(generate(fake)).rejects.toMatchObject({
      name: 'TypeError',
      cause: { code: 'ECONNRESET' },
    })
    expect(fake.calls).toEqual([{ service: 'kms', operation: 'GenerateDataKey', fault: 'reset' }])
  })

  it('redirect: names another host, and does nothing', async () => {
    const { status, headers, text } = await generate(create({ kind: 'redirect' }))
    expect([status, headers.get('location'), text]).toEqual([307, 'https://elsewhere.example/', ''])
  })

  it('not-json: a page with status 200', async () => {
    const { status, headers, text } = await generate(create({ kind: 'not-json' }))
    expect([status, headers.get('content-type'), text.slice(0, 6)]).toEqual([
      200,
      'text/html',
      '<html>',
    ])
  })

  it('wrong-key: another ARN in the field', async () => {
    const fake = create(
      { kind: 'wrong-key' },
      { kind: 'wrong-key', field: 'SourceKeyId' },
      { kind: 'wrong-key' },
    )
    const { arn } = fake.createKey()
    const other = /:key\/00000000-0000-4000-8000-000000000000$/
    expect((await generate(fake)).json['KeyId']).toMatch(other)
    const again = { CiphertextBlob: '', DestinationKeyId: arn }
    const waiting = fake.faults.pending
    fake.faults.clear()
    again.CiphertextBlob = await encrypted(fake, arn)
    fake.faults.push(...waiting)
    const { json } = await kms(fake, 'ReEncrypt', again)
    expect(json['KeyId']).toBe(arn)
    expect(json['SourceKeyId']).toMatch(other)
    const described = await kms(fake, 'DescribeKey', { KeyId: arn })
    expect((described.json['KeyMetadata'] as Record<string, unknown>)['Arn']).toMatch(other)
  })

  it('wrong-length: a byte less, or more than AWS ever sends', async () => {
    const fake = create({ kind: 'wrong-length', times: 2 })
    expect(unbase64((await generate(fake)).json['Plaintext'])).toHaveLength(31)
    const { json } = await kms(fake, 'Encrypt', { KeyId, Plaintext: base64('x') })
    expect(unbase64(json['CiphertextBlob'])).toHaveLength(6_145)
  })

  it('wrong-key waits for an answer that names a key', async () => {
    const fake = create({ kind: 'wrong-key', times: 2 })
    expect((await generate(fake, { aheadMs: 1_200_000 })).error).toBe('InvalidSignatureException')
    expect(fake.faults.pending).toMatchObject([{ kind: 'wrong-key', times: 2 }])
    for (let i = 0; i < 2; i++)
      expect((await generate(fake)).json['KeyId']).toMatch(/-000000000000$/)
    fake.faults.push({ kind: 'wrong-key' })
    expect((await generate(fake, { aheadMs: 1_200_000 })).status).toBe(400)
    expect((await generate(fake)).json['KeyId']).toMatch(/-000000000000$/)
    expect((await generate(fake)).json['KeyId']).not.toMatch(/-000000000000$/)
    expect(fake.calls.map(({ fault }) => fault ?? '')).toEqual([
      '',
      'wrong-key',
      'wrong-key',
      '',
      'wrong-key',
      '',
    ])
  })

  it('oversized: the right answer and a lot of space, of no stated length', async () => {
    const answer = await generate(create({ kind: 'oversized', sizeBytes: 300_000 }))
    expect(answer.text).toHaveLength(300_000)
    expect(answer.headers.has('content-length')).toBe(false)
    expect(unbase64(answer.json['Plaintext'])).toHaveLength(32)
  })

  it('truncated: half of the body, then the connection breaks', async () => {
    const fake = create({ kind: 'truncated' })
    const response = await fake.fetch(await kmsRequest(fake, 'GenerateDataKey', input))
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const first = await reader.read()
    const length = Number(response.headers.get('content-length'))
    expect(first.value?.length).toBe(length >> 1)
    await expect(reader.read()).rejects.toThrow()
  })

  it('hang: half of the body, then nothing until the client goes', async () => {
    const fake = create({ kind: 'hang' })
    const gone = new AbortController()
    const request = await kmsRequest(fake, 'GenerateDataKey', input, { signal: gone.signal })
    const response = await fake.fetch(request)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    expect((await reader.read()).value?.length).toBeGreaterThan(0)
    const rest = settles(reader.read())
    expect(await rest.isOpen()).toBe(true)
    gone.abort(new Error('gone'))
    await expect(rest.work).rejects.toThrow('gone')
  })

  it('slow: the answer comes when its time has come', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const late = settles(generate(create({ kind: 'slow', delayMs: 60_000 })))
    await timer()
    vi.advanceTimersByTime(59_999)
    expect(await late.isOpen()).toBe(true)
    vi.advanceTimersByTime(1)
    expect(await late.work).toMatchObject({ status: 200 })
  })

  it('slow: no answer for a client that has gone', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const gone = new AbortController()
    const fake = create({ kind: 'slow' })
    const late = settles(generate(fake, { signal: gone.signal }))
    await timer()
    gone.abort(new Error('gone'))
    await expect(late.work).rejects.toThrow('gone')
    expect(vi.getTimerCount()).toBe(0)
    await expect(generate(fake, { signal: gone.signal })).rejects.toThrow('gone')
    expect(fake.count()).toBe(1)
  })

  it('skewed-clock: refuses the right time, tells its own, and takes that', async () => {
    const fake = create(
      { kind: 'skewed-clock', times: 2 },
      { kind: 'skewed-clock', skewMs: -600_000 },
    )
    const refused = await generate(fake)
    expect(refused.error).toBe('InvalidSignatureException')
    const ahead = Date.parse(refused.headers.get('date') ?? '') - fake.clock.now()
    expect(Math.round(ahead / 60_000)).toBe(20)
    expect((await generate(fake, { aheadMs: 1_200_000 })).status).toBe(200)
    expect((await generate(fake)).error).toBe('InvalidSignatureException')
  })
})

describe('fake AWS: calls', () => {
  it('tells who called what with which key and context, and nothing secret', async () => {
    const fake = create()
    const { arn } = fake.createKey()
    const plaintext = 'a plaintext of note'
    await kms(fake, 'Encrypt', {
      KeyId: arn,
      Plaintext: base64(plaintext),
      EncryptionContext: { tenant: 'acme' },
      DryRun: true,
    })
    await sts(fake, { Action: 'GetCallerIdentity' })
    await kms(fake, 'Decrypt', { KeyId: arn, CiphertextBlob: base64(plaintext) })
    const { accessKeyId } = fake.credentials
    const by = { accessKeyId, caller: 'arn:aws:iam::111122223333:user/app' }
    expect(fake.calls).toEqual([
      {
        service: 'kms',
        operation: 'Encrypt',
        keyId: arn,
        keyArn: arn,
        context: { tenant: 'acme' },
        dryRun: true,
        ...by,
        status: 400,
        error: 'DryRunOperationException',
      },
      { service: 'sts', operation: 'GetCallerIdentity', ...by, status: 200 },
      {
        service: 'kms',
        operation: 'Decrypt',
        keyId: arn,
        keyArn: arn,
        context: {},
        ...by,
        status: 400,
        error: 'InvalidCiphertextException',
      },
    ])
    const printed = JSON.stringify(fake.calls)
    expect(printed).not.toContain(base64(plaintext))
    expect(printed).not.toContain(fake.credentials.secretAccessKey)
    expect([fake.count(), fake.count('Encrypt'), fake.count('ReEncrypt')]).toEqual([3, 1, 0])
    fake.forgetCalls()
    expect(fake.count()).toBe(0)
  })
})
