// A copy by spreading loses what a prototype holds: the call would bind less than its caller meant.
import { describe, expect, it } from 'vitest'
import {
  CachedKms,
  composeKms,
  type EncryptItem,
  EnvelopeCipher,
  type EnvelopeCipherOptions,
  type KeyManagementService,
  MultiKms,
  SecretBytes,
} from '../../../src/index.ts'
import { sharedDataKeys } from '../../../src/data-keys/shared/index.ts'
import {
  assumeRole,
  containerCredentials,
  createAwsKms,
} from '../../../src/providers/aws-kms/index.ts'
import { azureClientSecret } from '../../../src/providers/azure-key-vault/index.ts'
import { MemoryKeyValueStore } from '../../../src/stores/index.ts'
import { createFakeAws } from '../../../adapters/fakes/index.ts'
import { createGateway } from '../../../adapters/gateway/index.ts'
import { codeOf, codeOfAsync } from '../../vectors/hex.ts'
import { OPTIONS, PlainKms, sequence, setUp } from '../wire/fixture.ts'

const CONFIG = 'ERR_KMS_CONFIG'

/** An item as an application may model it: all fields are getters of its class. */
class Row {
  readonly #envelope: Uint8Array

  constructor(envelope: Uint8Array) {
    this.#envelope = envelope
  }

  get envelope(): Uint8Array {
    return this.#envelope
  }

  get plaintext(): Uint8Array {
    return this.#envelope
  }

  get context(): object {
    return OPTIONS.context
  }

  get aad(): object {
    return OPTIONS.aad
  }
}

const inherited = (proto: object, own: object = {}): object =>
  Object.assign(Object.create(proto) as object, own)

describe('an item that is an instance of a class', () => {
  it('is not opened without the context and aad that its class holds', async () => {
    const { cipher } = setUp()
    const unbound = await cipher.encrypt(sequence(9))
    for (const reader of [cipher, setUp().cipher]) {
      const [outcome] = await reader.decryptMany([new Row(unbound)])
      expect(outcome?.ok === false && outcome.error).toMatchObject({
        code: CONFIG,
        message: 'item must be a plain object, got an instance of a class',
      })
    }
  })

  it('is not encrypted without them, also past the first window of a batch', async () => {
    const { cipher, kms } = setUp()
    const items = Array.from({ length: 70 }, () => new Row(sequence(9)) as EncryptItem)
    const outcomes = await cipher.encryptMany(items)
    expect(new Set(outcomes.map((one) => (one.ok ? 'ok' : one.error.code)))).toEqual(
      new Set([CONFIG]),
    )
    const typo = inherited({ contxt: OPTIONS.context }, { plaintext: sequence(9) }) as EncryptItem
    const misspelt = await cipher.encryptMany(Array.from({ length: 70 }, () => typo))
    expect(misspelt.filter(({ ok }) => ok)).toEqual([])
    expect(kms.calls).toEqual([])
  })
})

it('every call on one message refuses options with a prototype', async () => {
  const { cipher, kms } = setUp()
  const envelope = await cipher.encrypt(sequence(9), OPTIONS)
  kms.calls.length = 0
  const options = inherited(OPTIONS)
  const calls: readonly (() => unknown)[] = [
    () => cipher.encrypt(sequence(9), options),
    () => cipher.encryptText('text', options),
    () => cipher.startStream(options),
    () => cipher.encryptStream(options),
    () => cipher.decrypt(envelope, options),
    () => cipher.decryptText('ek1.AAAA', options),
    () => cipher.decryptStream(options),
    () => cipher.decryptStored(envelope, options),
    () => cipher.decryptRange(() => Promise.resolve(envelope), { start: 0 }, options),
    () => cipher.decryptRange(() => Promise.resolve(envelope), inherited({ start: 0 }) as never),
    () => cipher.rewrap(envelope, options),
    () => cipher.rewrapStream(options),
    () => cipher.encryptMany([], inherited({})),
    () => cipher.decryptMany([], inherited({})),
    () => new CachedKms({ kms }).invalidate(options),
  ]
  for (const call of calls) {
    expect(await codeOfAsync(async () => call()), call.toString()).toBe(CONFIG)
  }
  expect(kms.calls).toEqual([])
})

it.each<[string, () => unknown]>([
  [
    'requiredContextKeys of a cipher',
    () =>
      new EnvelopeCipher(
        inherited(
          { requiredContextKeys: ['subject'] },
          { kms: new PlainKms() },
        ) as EnvelopeCipherOptions,
      ),
  ],
  [
    'the bounds of a cache',
    () => new EnvelopeCipher({ kms: new PlainKms(), cache: inherited({ maxEntries: 0 }) }),
  ],
  ['deadlineMs of a stack', () => composeKms(new PlainKms(), inherited({ deadlineMs: 0 }))],
  ['a part of a stack', () => composeKms(new PlainKms(), { retry: inherited({ maxAttempts: 1 }) })],
  ['members of MultiKms', () => new MultiKms(inherited({ read: [new PlainKms()] }) as never)],
  [
    'usage of a provider',
    () =>
      createAwsKms(
        inherited(
          { usage: 'decrypt' },
          {
            keyId: 'alias/x',
            region: 'eu-central-1',
            credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
          },
        ) as never,
      ),
  ],
  ['externalId of a role', () => assumeRole(inherited({ externalId: 'x' }) as never)],
  ['a container', () => containerCredentials(inherited({ relativeUri: '/x' }))],
  ['a client secret', () => azureClientSecret(inherited({ clientSecret: 'x' }) as never)],
  [
    'the shared level',
    () => sharedDataKeys(inherited({ store: new MemoryKeyValueStore(), partition: 'p' }) as never),
  ],
  ['a store', () => new MemoryKeyValueStore(inherited({ maxEntries: 1 }))],
  [
    'the gateway',
    () => {
      const { cipher, kms } = setUp()
      return createGateway(inherited({ hosts: 'any' }, { cipher, kms }) as never)
    },
  ],
])('an option that is inherited is refused, not dropped: %s', (_, make) => {
  expect(codeOf(make)).toBe(CONFIG)
})

it('a call of a decorated KMS refuses options that its copies would lose', async () => {
  const inner = new PlainKms()
  const kms = composeKms(inner)
  const options = inherited({ context: { 'edge-kms:dk': 'x' } }) as never
  expect(await codeOfAsync(() => kms.generateDataKey(options))).toBe(CONFIG)
  expect(inner.calls).toEqual([])
})

it.each([
  ['generateDataKey', (kms: KeyManagementService, o: never) => kms.generateDataKey(o)],
  [
    'wrapDataKey',
    (kms: KeyManagementService, o: never) =>
      kms.wrapDataKey(SecretBytes.copy(new Uint8Array(32)), o),
  ],
  ['unwrapDataKey', (kms: KeyManagementService, o: never) => kms.unwrapDataKey([], o)],
])('%s of a bare MultiKms refuses them, too', async (_, call) => {
  const inner = new PlainKms()
  const kms = new MultiKms({ read: [inner] })
  const options = inherited({ context: { 'edge-kms:dk': 'x' } }) as never
  expect(await codeOfAsync(() => call(kms, options))).toBe(CONFIG)
  expect(inner.calls).toEqual([])
})

it('AWS KMS refuses them before a request: it would bind no context', async () => {
  const aws = createFakeAws()
  const { keyId } = aws.createKey()
  const kms = createAwsKms({
    keyId,
    region: aws.region,
    credentials: aws.credentials,
    network: aws.network,
  })
  const options = inherited({ context: { tenant: 'acme' } }) as never
  expect(await codeOfAsync(() => kms.generateDataKey(options))).toBe(CONFIG)
  expect(aws.calls).toEqual([])
})

it('static credentials may be an instance of a class: each field is read', async () => {
  class Keys {
    get accessKeyId(): string {
      return 'AKIDEXAMPLE'
    }

    get secretAccessKey(): string {
      return 'canary-5d1f'
    }
  }
  const sent: (string | null)[] = []
  const network = {
    fetch: async (_: string, init: RequestInit) => {
      sent.push(new Headers(init.headers).get('authorization'))
      return new Response('{}')
    },
    after: () => () => undefined,
    jitter: () => 0,
  }
  const kms = createAwsKms({
    keyId: 'alias/x',
    region: 'eu-central-1',
    credentials: new Keys(),
    network,
  })
  await kms.healthCheck({}).catch(() => undefined)
  expect(sent[0]).toContain('Credential=AKIDEXAMPLE/')
})
