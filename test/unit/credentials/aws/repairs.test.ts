import { describe, expect, it } from 'vitest'
import {
  assumeRole,
  type AwsKmsOptions,
  createAwsKms,
} from '../../../../src/providers/aws-kms/index.ts'
import { createFakeAws } from '../../../../adapters/fakes/index.ts'
import { type Answer, codeOf, START_MS, testPorts } from './ports.ts'

const MINUTE_MS = 60_000
const context = { 'edge-kms:dk': 'salt.1' }
const keyId = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'

/** The real provider over the fake, whose clock is `skewMs` ahead of the client's. */
function overFake(skewMs: number, credentials?: AwsKmsOptions['credentials']) {
  const ports = testPorts(({ url, method, headers, body }) =>
    fake.fetch(new Request(url, { method, headers, body })),
  )
  const fake = createFakeAws({ now: () => ports.runtime.now() + skewMs })
  const kms = createAwsKms({
    keyId: fake.createKey().arn,
    credentials: credentials ?? fake.credentials,
    runtime: ports.runtime,
    network: ports.network,
  })
  return { fake, ports, kms }
}

/** The real provider over written answers. */
function over(answer: Answer, credentials?: AwsKmsOptions['credentials']) {
  const { sent, runtime, network } = testPorts(answer)
  const kms = createAwsKms({
    keyId,
    credentials: credentials ?? { accessKeyId: 'AKID', secretAccessKey: 'secret' },
    runtime,
    network,
  })
  return { sent, kms }
}

const refusal = (name: string, date?: string) =>
  new Response(JSON.stringify({ __type: name }), {
    status: 400,
    headers: date === undefined ? {} : { date },
  })
const at = (ms: number) => new Date(ms).toUTCString()

describe('R22 a clock that is off', () => {
  it.each([-24 * 60, -20, 6, 20, 24 * 60])(
    'by %i minutes is corrected once, for this call and the next',
    async (minutes) => {
      const { fake, kms } = overFake(minutes * MINUTE_MS)
      await kms.generateDataKey({ context })
      const errors = fake.calls.map(({ error }) => error)
      expect(errors).toEqual(['InvalidSignatureException', undefined])
      await kms.generateDataKey({ context })
      expect(fake.count()).toBe(3)
    },
  )

  it.each([25 * 60, 365 * 24 * 60, -365 * 24 * 60])(
    'by %i minutes is not corrected: one answer must not date signatures far ahead',
    async (minutes) => {
      const { fake, kms } = overFake(minutes * MINUTE_MS)
      expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAUTHENTICATED')
      expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAUTHENTICATED')
      expect(fake.count()).toBe(2)
    },
  )

  it('by 4 minutes is nobody’s business', async () => {
    const { fake, kms } = overFake(4 * MINUTE_MS)
    await kms.generateDataKey({ context })
    expect(fake.count()).toBe(1)
  })

  it('is corrected for all of many calls that were under way', async () => {
    const { fake, kms } = overFake(20 * MINUTE_MS)
    const work = Array.from({ length: 32 }, () => codeOf(kms.generateDataKey({ context })))
    expect(new Set(await Promise.all(work))).toEqual(new Set(['no error']))
    expect(fake.count()).toBeLessThanOrEqual(64)
  })

  it('is corrected again, in another call, when it is set right', async () => {
    const { fake, kms } = overFake(0)
    fake.faults.push({ kind: 'skewed-clock', times: 2 })
    await kms.generateDataKey({ context })
    expect(fake.count()).toBe(2)
    await kms.generateDataKey({ context })
    expect(fake.count()).toBe(4)
    await kms.generateDataKey({ context })
    expect(fake.count()).toBe(5)
  })

  it('is remembered for the next refresh of a role', async () => {
    const roleArn = 'arn:aws:iam::111122223333:role/app'
    const ports = testPorts(({ url, method, headers, body }) =>
      fake.fetch(new Request(url, { method, headers, body })),
    )
    const fake = createFakeAws({
      now: () => ports.runtime.now() + 20 * MINUTE_MS,
      roles: [{ arn: roleArn, trust: { principals: ['111122223333'] } }],
    })
    const { credentials, region } = fake
    const { runtime, network } = ports
    const source = assumeRole({ region, roleArn, credentials, runtime, network })
    await source.get({})
    expect(fake.count()).toBe(2)
    ports.advance(24 * 60 * MINUTE_MS)
    await source.get({})
    expect(fake.count()).toBe(3)
  })

  it('is not corrected twice in one call', async () => {
    const { kms, sent } = over((_request, n) =>
      refusal('InvalidSignatureException', at(START_MS + (n + 1) * 20 * MINUTE_MS)),
    )
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAUTHENTICATED')
    const times = sent.map(({ headers }) => headers.get('x-amz-date'))
    expect(times).toEqual(['20260101T000000Z', '20260101T002000Z'])
  })

  it.each([
    ['no Date', undefined],
    ['a Date that is none', 'soon'],
    ['the client’s own time', at(START_MS)],
    ['a difference of less than a minute', at(START_MS + 59_000)],
  ])('was not the reason: %s', async (_what, date) => {
    const { kms, sent } = over(() => refusal('InvalidSignatureException', date))
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAUTHENTICATED')
    expect(sent).toHaveLength(1)
  })

  it('is not a reason where something else was wrong', async () => {
    const { kms, sent } = over(() => refusal('AccessDeniedException', at(START_MS + 1e9)))
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_ACCESS_DENIED')
    expect(sent).toHaveLength(1)
  })
})

describe('R22 credentials that AWS refuses', () => {
  /** A function that gives other credentials at each call. */
  function counted() {
    const state = { loads: 0 }
    const credentials = () => {
      state.loads += 1
      return Promise.resolve({ accessKeyId: `AKID${String(state.loads)}`, secretAccessKey: 's' })
    }
    return { state, credentials }
  }
  const idOf = ({ headers }: { readonly headers: Headers }) =>
    /Credential=(\w+)/.exec(headers.get('authorization') ?? '')?.[1]

  it.each(['ExpiredTokenException', 'UnrecognizedClientException', 'InvalidClientTokenId'])(
    '%s: renewed once, then it is the error',
    async (name) => {
      const { state, credentials } = counted()
      const { kms, sent } = over(() => refusal(name), credentials)
      expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAUTHENTICATED')
      expect([state.loads, sent.map(idOf)]).toEqual([2, ['AKID1', 'AKID2']])
    },
  )

  it('renewed ones that work are the end of it', async () => {
    const { state, credentials } = counted()
    const answer: Answer = (_request, n) =>
      n === 0 ? refusal('ExpiredTokenException') : Response.json({})
    const { kms, sent } = over(answer, credentials)
    await kms.rotateKey({})
    await kms.rotateKey({})
    expect([state.loads, sent.map(idOf)]).toEqual([2, ['AKID1', 'AKID2', 'AKID2']])
  })

  it('static ones cannot be renewed: one request', async () => {
    const { kms, sent } = over(() => refusal('ExpiredTokenException'))
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAUTHENTICATED')
    expect(sent).toHaveLength(1)
  })

  it('one refresh serves many calls that were refused together', async () => {
    const { state, credentials } = counted()
    const answer: Answer = (request) =>
      idOf(request) === 'AKID1' ? refusal('ExpiredTokenException') : Response.json({})
    const { kms } = over(answer, credentials)
    const work = Array.from({ length: 32 }, () => codeOf(kms.rotateKey({})))
    expect(new Set(await Promise.all(work))).toEqual(new Set(['no error']))
    expect(state.loads).toBe(2)
  })

  it('a refresh that fails is what the caller sees', async () => {
    const { state, credentials } = counted()
    const { kms, sent } = over(
      () => refusal('ExpiredTokenException'),
      () => (state.loads === 0 ? credentials() : Promise.reject(new Error('broker is down'))),
    )
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAVAILABLE')
    expect(sent).toHaveLength(1)
  })

  it('both repairs fit into one call, each once', async () => {
    const { state, credentials } = counted()
    const late = at(START_MS + 20 * MINUTE_MS)
    const names = ['InvalidSignatureException', 'ExpiredTokenException', 'RequestExpired']
    const { kms, sent } = over((_request, n) => refusal(names[n] ?? 'none left', late), credentials)
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAUTHENTICATED')
    expect([state.loads, sent.length]).toEqual([2, 3])
  })

  it.each(['ThrottlingException', 'KMSInternalException', 'ServiceUnavailable'])(
    'nothing else is tried again: %s',
    async (name) => {
      const { credentials } = counted()
      const { kms, sent } = over(() => refusal(name, at(START_MS + 1e9)), credentials)
      await codeOf(kms.generateDataKey({ context }))
      expect(sent).toHaveLength(1)
    },
  )
})
