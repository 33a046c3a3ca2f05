import { describe, expect, it, vi } from 'vitest'
import {
  type CloudKmsClient,
  createGoogleCloudKms,
  type GoogleCloudKmsOptions,
} from '../../../adapters/google-cloud-kms/index.ts'
import { isKmsError, type KmsErrorCode } from '../../../src/errors.ts'
import type { KeyManagementService } from '../../../src/kms/index.ts'
import { createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { createFakeGcp, type FakeGcpFault, kmsContract } from '../../../adapters/fakes/index.ts'
import { runContract } from '../../support/contract.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import { clientOver } from './fake-client.ts'

const context = { 'edge-kms:dk': 'salt.1', tenant: 'acme' }
const CANARY = 'canary-3c1f'

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => error,
  )
}
const codeOf = async (work: Promise<unknown>): Promise<unknown> => {
  const error = await errorOf(work)
  return isKmsError(error) ? error.code : error
}

function setUp(options: Partial<GoogleCloudKmsOptions> = {}) {
  const fake = createFakeGcp()
  const keyName = fake.createKey()
  const client = clientOver(fake)
  const kms = createGoogleCloudKms({ client, keyName, timeoutMs: 60_000, ...options })
  const { credentials, network } = fake
  const byFetch = createGcpKms({ keyName, credentials, network, timeoutMs: 60_000 })
  return { fake, keyName, client, kms, byFetch }
}

describe('contract: over a client', () => {
  const { fake, keyName, client } = setUp()
  const other = fake.createKey()
  const create = (name = keyName): KeyManagementService =>
    createGoogleCloudKms({ client, keyName: name })
  runContract(
    kmsContract(create().capabilities, {
      create: () => create(),
      createOther: () => create(other),
    }),
  )
})

describe('R22 errors are those of the provider by fetch', () => {
  const faults: readonly (readonly [FakeGcpFault, KmsErrorCode])[] = [
    [{ kind: 'throttle' }, 'ERR_KMS_THROTTLED'],
    [{ kind: 'unavailable' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'internal' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'unauthenticated', times: 2 }, 'ERR_KMS_UNAUTHENTICATED'],
    [{ kind: 'damaged' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'wrong-checksum' }, 'ERR_KMS_RESPONSE_INVALID'],
  ]
  it.each(faults)('%o', async (fault, code) => {
    const { fake, kms, byFetch } = setUp()
    const { wraps } = await kms.generateDataKey({ context })
    for (const one of [kms, byFetch]) {
      fake.faults.push({ ...fault, times: 2 })
      expect(await codeOf(one.generateDataKey({ context }))).toBe(code)
      expect(await codeOf(one.unwrapDataKey(wraps, { context }))).toBe(code)
    }
  })

  it('a plaintext of another length is handed on, for the caller to try the next wrap', async () => {
    const { fake, kms, byFetch } = setUp()
    const { wraps } = await kms.generateDataKey({ context })
    for (const one of [kms, byFetch]) {
      fake.faults.push({ kind: 'wrong-length' })
      const { plaintext } = await one.unwrapDataKey(wraps, { context })
      expect(plaintext.length).toBe(31)
    }
  })

  it.each<FakeGcpFault>([{ kind: 'wrong-key' }, { kind: 'unverified' }, { kind: 'wrong-length' }])(
    'R9 R10 %o of Encrypt is refused',
    async (fault) => {
      const { fake, kms } = setUp()
      fake.faults.push(fault)
      expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_RESPONSE_INVALID')
    },
  )

  const raw = (status: number, error: unknown): object =>
    Object.assign(new Error(JSON.stringify({ error }, undefined, 2)), {
      response: { status },
      config: { data: CANARY },
    })
  const disabled = { violations: [{ type: 'KEY_DISABLED' }] }
  it.each<[string, unknown, KmsErrorCode]>([
    ['a code of gRPC', { code: 5 }, 'ERR_KMS_KEY_NOT_FOUND'],
    ['a code of no meaning', { code: 99 }, 'ERR_KMS_UNAVAILABLE'],
    ['a deadline', { code: 4 }, 'ERR_KMS_UNAVAILABLE'],
    ['a reason', { code: 7, reason: 'SERVICE_DISABLED' }, 'ERR_KMS_CONFIG'],
    ['a violation', { code: 9, statusDetails: [disabled] }, 'ERR_KMS_KEY_DISABLED'],
    ['a checksum', { code: 3, message: 'crc32c' }, 'ERR_KMS_UNAVAILABLE'],
    ['a body over HTTP', raw(400, { status: 'INVALID_ARGUMENT' }), 'ERR_KMS_CONFIG'],
    [
      'a body as data',
      { response: { status: 404, data: { error: { status: 'NOT_FOUND' } } } },
      'ERR_KMS_KEY_NOT_FOUND',
    ],
    ['a status over HTTP', { response: { status: 429 }, message: '{' }, 'ERR_KMS_THROTTLED'],
    [
      'a grant that is refused',
      { response: { status: 400, data: { error: 'invalid_grant' } } },
      'ERR_KMS_UNAUTHENTICATED',
    ],
    [
      'no credentials',
      new Error('Could not load the default credentials. See'),
      'ERR_KMS_UNAUTHENTICATED',
    ],
    ['what is not JSON', new SyntaxError(`Unexpected token ${CANARY}`), 'ERR_KMS_RESPONSE_INVALID'],
    [
      'no connection',
      Object.assign(new Error(CANARY), { code: 'ECONNREFUSED' }),
      'ERR_KMS_UNAVAILABLE',
    ],
    ['nothing', undefined, 'ERR_KMS_UNAVAILABLE'],
    ['a text', CANARY, 'ERR_KMS_UNAVAILABLE'],
  ])('R12 %s, and nothing of what was sent', async (_, thrown, code) => {
    const { client, keyName } = setUp()
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a client may reject with anything
    const failing: CloudKmsClient = { ...client, encrypt: () => Promise.reject(thrown) }
    const kms = createGoogleCloudKms({ client: failing, keyName })
    const error = await errorOf(kms.generateDataKey({ context }))
    expect(isKmsError(error) && error.code).toBe(code)
    const { message, stack, cause } = error as Error
    const printed = [message, stack, JSON.stringify(error), (cause as Error | undefined)?.message]
    expect(printed.join()).not.toContain(CANARY)
  })

  it('takes how long to wait from RetryInfo', async () => {
    const { client, keyName } = setUp()
    const thrown = Object.assign(new Error('slow down'), {
      code: 8,
      statusDetails: [{ retryDelay: { seconds: { toString: () => '2' }, nanos: 500_000_000 } }],
    })
    const failing: CloudKmsClient = { ...client, encrypt: () => Promise.reject(thrown) }
    const kms = createGoogleCloudKms({ client: failing, keyName })
    expect(await errorOf(kms.generateDataKey({ context }))).toMatchObject({
      code: 'ERR_KMS_THROTTLED',
      retryAfterMs: 2_500,
    })
  })
})

describe('time and secrets', () => {
  it('turns the retries of the client off and gives it a time of its own', async () => {
    const { client, keyName } = setUp()
    const seen: unknown[] = []
    const listening: CloudKmsClient = {
      ...client,
      encrypt: (request, options) => {
        seen.push(options)
        return client.encrypt(request, options)
      },
    }
    await createGoogleCloudKms({ client: listening, keyName }).generateDataKey({ context })
    expect(seen).toEqual([{ timeout: 2_500, retry: null }])
  })

  it('R21 ends in time and at an abort, whatever the client does, and wipes what comes late', async () => {
    const { client, keyName, kms } = setUp()
    const { wraps } = await kms.generateDataKey({ context })
    const world = new FakeWorld()
    const late: Uint8Array[] = []
    const gates: (() => void)[] = []
    const slow: CloudKmsClient = {
      ...client,
      decrypt: async (request, options) => {
        const [answer] = await client.decrypt(request, options)
        await new Promise<void>((resolve) => gates.push(resolve))
        late.push((answer as { plaintext: Uint8Array }).plaintext)
        return [answer]
      },
    }
    const network = world.ports.network
    const waiting = createGoogleCloudKms({ client: slow, keyName, network, timeoutMs: 700 })
    const timed = codeOf(waiting.unwrapDataKey(wraps, { context }))
    await until(() => gates.length === 1)
    await world.advance(700)
    expect(await timed).toBe('ERR_KMS_TIMEOUT')
    const controller = new AbortController()
    const aborted = errorOf(waiting.unwrapDataKey(wraps, { context, signal: controller.signal }))
    await until(() => gates.length === 2)
    const reason = new Error('stop')
    controller.abort(reason)
    expect(await aborted).toBe(reason)
    const wiped: Uint8Array[] = []
    const { fill } = Uint8Array.prototype
    const spy = vi.spyOn(Uint8Array.prototype, 'fill').mockImplementation(function (
      this: Uint8Array,
      ...args
    ) {
      wiped.push(this)
      return fill.apply(this, args)
    })
    for (const gate of gates) gate()
    await turn()
    spy.mockRestore()
    expect(late.map((bytes) => [...bytes])).toEqual(Array(2).fill(Array(32).fill(0)))
    // The client's own bytes, and our copy of them.
    const copies = wiped.filter((bytes) => bytes.length === 32 && !Buffer.isBuffer(bytes))
    expect(copies).toHaveLength(2)
    expect(world.timers).toBe(0)
  })

  it("wipes the client's own buffer once the data key is copied", async () => {
    const { client, keyName, kms } = setUp()
    const { plaintext, wraps } = await kms.generateDataKey({ context })
    let theirs: Uint8Array | undefined
    const keeping: CloudKmsClient = {
      ...client,
      decrypt: async (request, options) => {
        const [answer] = await client.decrypt(request, options)
        theirs = (answer as { plaintext: Uint8Array }).plaintext
        return [answer]
      },
    }
    const reader = createGoogleCloudKms({ client: keeping, keyName })
    const opened = await reader.unwrapDataKey(wraps, { context })
    expect(opened.plaintext.expose()).toEqual(plaintext.expose())
    expect([...(theirs ?? [])]).toEqual(Array(32).fill(0))
  })

  it('R8 R9 a hostile header causes no call', async () => {
    const { fake, kms, keyName } = setUp()
    const { wraps } = await kms.generateDataKey({ context })
    const [wrap] = wraps as [(typeof wraps)[0]]
    fake.forgetCalls()
    for (const hostile of [
      { kekId: `${keyName}/../x` },
      { kekId: 'https://attacker.example' },
      { kekVersion: '1:decrypt' },
      { provider: 'aws-kms' },
    ])
      expect(await codeOf(kms.unwrapDataKey([{ ...wrap, ...hostile }], { context }))).toBe(
        'ERR_ENVELOPE_UNKNOWN_KEY',
      )
    expect(fake.count()).toBe(0)
  })
})

it.each<[string, object]>([
  ['no client', { client: undefined }],
  ['what is not a client', { client: {} }],
  ['a time of 0', { timeoutMs: 0 }],
  ['a time that is none', { timeoutMs: NaN }],
  ['a key name that is a path', { keyName: 'projects/../x' }],
  ['credentials, which are the client’s', { credentials: { token: 'x' } }],
  ['a misspelt option', { timeout: 5 }],
])('refuses %s', (_, options) => {
  expect(() => setUp(options)).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
})

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn()
}
