import type { Library, RuntimeCase } from './suite.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const message = { context: { tenant: 'acme' }, aad: { row: '42' } }

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

/** The bytes of a record's body: nonce, ciphertext, tag. */
function body(envelope: Uint8Array, plaintextLength: number): string {
  return envelope.slice(-plaintextLength - 28).join()
}

/** AWS KMS on this runtime, against the fake of AWS in the same process. */
export function awsCases({ core, aws, local, testing }: Library): readonly RuntimeCase[] {
  type Fake = ReturnType<typeof testing.createFakeAws>
  type Kms = ReturnType<typeof aws.createAwsKms>
  const plaintext = encoder.encode('4111 1111')

  const kmsOf = (fake: Fake, keyId: string): Kms =>
    aws.createAwsKms({
      keyId,
      region: fake.region,
      credentials: fake.credentials,
      network: fake.network,
    })
  const cipherOf = (kms: Kms): InstanceType<typeof core.EnvelopeCipher> =>
    new core.EnvelopeCipher({ kms })

  async function code(work: Promise<unknown>): Promise<string> {
    try {
      await work
    } catch (error) {
      return core.isKmsError(error) ? error.code : `not a KmsError: ${String(error)}`
    }
    return 'no error'
  }

  // Made at first use: a Worker has no random numbers before its first request.
  let shared: { readonly fake: Fake; readonly keyId: string; readonly otherId: string } | undefined
  const world = (): NonNullable<typeof shared> => {
    if (shared !== undefined) return shared
    const fake = testing.createFakeAws()
    shared = { fake, keyId: fake.createKey().arn, otherId: fake.createKey().arn }
    return shared
  }
  const { capabilities } = aws.createAwsKms({
    keyId: 'alias/app',
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKID', secretAccessKey: 'unused' },
  })
  const contract = testing.kmsContract(capabilities, {
    create: () => kmsOf(world().fake, world().keyId),
    createOther: () => kmsOf(world().fake, world().otherId),
  })

  return [
    ...contract.map((one) => ({ ...one, name: `contract, aws-kms: ${one.name}` })),
    {
      name: 'R33 aws-kms: an alias is pinned, one call makes a key for many, one opens it again',
      run: async () => {
        const fake = testing.createFakeAws({ keys: [{ alias: 'alias/app' }] })
        const cipher = cipherOf(kmsOf(fake, 'alias/app'))
        const first = await cipher.encrypt(plaintext, message)
        for (let i = 0; i < 20; i++) await cipher.encrypt(plaintext, message)
        const cold = await cipherOf(kmsOf(fake, 'alias/app')).decrypt(first, message)
        check(decoder.decode(cold) === '4111 1111', 'the plaintext')
        const made = fake.calls.map(({ operation }) => operation).join()
        check(made === 'DescribeKey,GenerateDataKey,DescribeKey,Decrypt', made)
        const { kekId } = core.EncryptedEnvelope.parse(first).wraps[0] ?? { kekId: '' }
        check(/^arn:aws:kms:us-east-1:\d{12}:key\//.test(kekId), kekId)
      },
    },
    {
      name: 'R33 aws-kms: an envelope moves from a local key to AWS, and a cold reader opens it there',
      run: async () => {
        const { fake, keyId } = world()
        const from = local.createLocalKms({
          versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
        })
        const to = kmsOf(fake, keyId)
        const envelope = await cipherOf(from).encrypt(plaintext, message)
        const mover = cipherOf(new core.MultiKms({ read: [to, from], write: [to] }))
        const moved = await mover.rewrap(envelope, { context: message.context })
        check(body(moved, 9) === body(envelope, 9), 'the body changed')
        const { wraps } = core.EncryptedEnvelope.parse(moved)
        check(wraps.length === 1 && wraps[0]?.kekId === keyId, 'not under the key of AWS alone')
        const opened = await cipherOf(kmsOf(fake, keyId)).decrypt(moved, message)
        check(decoder.decode(opened) === '4111 1111', 'the plaintext')
        const refused = await code(cipherOf(from).decrypt(moved, message))
        check(refused === 'ERR_ENVELOPE_UNKNOWN_KEY', refused)
        const again = await cipherOf(kmsOf(fake, keyId)).rewrap(moved, { context: message.context })
        check(body(again, 9) === body(envelope, 9), 'the body changed within AWS')
      },
    },
    {
      name: 'R22 aws-kms: a clock that is off is corrected, here by 20 minutes',
      run: async () => {
        const fake = testing.createFakeAws({ now: () => Date.now() + 1_200_000 })
        const envelope = await cipherOf(kmsOf(fake, fake.createKey().arn)).encrypt(
          plaintext,
          message,
        )
        check(envelope.length > 0 && fake.count('GenerateDataKey') === 2, String(fake.count()))
      },
    },
    {
      name: 'R22 aws-kms: a role that is assumed signs, and is told apart from its user',
      run: async () => {
        const roleArn = 'arn:aws:iam::111122223333:role/app'
        const fake = testing.createFakeAws({
          roles: [{ arn: roleArn, trust: { principals: ['111122223333'] } }],
        })
        const { region, network } = fake
        const credentials = aws.assumeRole({
          region,
          roleArn,
          credentials: fake.credentials,
          network,
        })
        const keyId = fake.createKey().arn
        const kms = aws.createAwsKms({ keyId, credentials, network })
        await cipherOf(kms).encrypt(plaintext, message)
        const caller = fake.calls.at(-1)?.caller ?? ''
        check(caller.endsWith(':assumed-role/app/edge-kms'), caller)
      },
    },
    {
      name: 'R9 aws-kms: answers that must not be believed are typed errors',
      run: async () => {
        const { fake, keyId } = world()
        const kms = kmsOf(fake, keyId)
        const wanted = {
          'wrong-key': 'ERR_KMS_RESPONSE_INVALID',
          'wrong-length': 'ERR_KMS_RESPONSE_INVALID',
          'not-json': 'ERR_KMS_RESPONSE_INVALID',
          oversized: 'ERR_KMS_RESPONSE_INVALID',
          redirect: 'ERR_KMS_RESPONSE_INVALID',
          reset: 'ERR_KMS_UNAVAILABLE',
          truncated: 'ERR_KMS_UNAVAILABLE',
          internal: 'ERR_KMS_UNAVAILABLE',
          unavailable: 'ERR_KMS_UNAVAILABLE',
          throttle: 'ERR_KMS_THROTTLED',
        } as const
        for (const kind of Object.keys(wanted) as (keyof typeof wanted)[]) {
          fake.faults.push({ kind })
          const got = await code(cipherOf(kms).encrypt(plaintext, message))
          check(got === wanted[kind], `${kind}: ${got}`)
          check(fake.faults.pending.length === 0, `${kind} was not met`)
        }
      },
    },
    {
      name: 'R21 aws-kms: a body that hangs ends at the deadline',
      run: async () => {
        const { fake, keyId } = world()
        // The deadline is rung by hand, when the body is on its way.
        let ring = (): void => undefined
        const kms = aws.createAwsKms({
          keyId,
          credentials: fake.credentials,
          network: {
            ...fake.network,
            fetch: async (url, init) => {
              const response = await fake.network.fetch(url, init)
              void Promise.resolve().then(ring)
              return response
            },
            after: (_delayMs, callback) => {
              ring = callback
              return () => undefined
            },
          },
        })
        fake.faults.push({ kind: 'hang' })
        const got = await code(cipherOf(kms).encrypt(plaintext, message))
        check(got === 'ERR_KMS_TIMEOUT', got)
      },
    },
  ]
}
