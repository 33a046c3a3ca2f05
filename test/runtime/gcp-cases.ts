import type { Library, RuntimeCase } from './suite.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const message = { context: { tenant: 'acme' }, aad: { row: '42' } }

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

/** GCP Cloud KMS on this runtime, against the fake of GCP in the same process. */
export function gcpCases({ core, gcp, local, testing }: Library): readonly RuntimeCase[] {
  type Fake = ReturnType<typeof testing.createFakeGcp>
  type Kms = ReturnType<typeof gcp.createGcpKms>
  type Credentials = Parameters<typeof gcp.createGcpKms>[0]['credentials']
  const plaintext = encoder.encode('4111 1111')

  const kmsOf = (fake: Fake, keyName: string, credentials: Credentials = fake.credentials): Kms =>
    gcp.createGcpKms({ keyName, credentials, network: fake.network })
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
  let shared: { readonly fake: Fake; readonly keyName: string; readonly other: string } | undefined
  const world = (): NonNullable<typeof shared> => {
    if (shared !== undefined) return shared
    const fake = testing.createFakeGcp()
    shared = { fake, keyName: fake.createKey(), other: fake.createKey() }
    return shared
  }
  const { capabilities } = gcp.createGcpKms({
    keyName: 'projects/acme-prod/locations/europe-west3/keyRings/app/cryptoKeys/data',
    credentials: { token: 'unused' },
  })
  const contract = testing.kmsContract(capabilities, {
    create: () => kmsOf(world().fake, world().keyName),
    createOther: () => kmsOf(world().fake, world().other),
  })

  return [
    ...contract.map((one) => ({ ...one, name: `contract, gcp-kms: ${one.name}` })),
    {
      name: 'R33 gcp-kms: one call makes a key for many, one opens it again, and a local key takes over',
      run: async () => {
        const { fake, keyName } = world()
        fake.forgetCalls()
        const cipher = cipherOf(kmsOf(fake, keyName))
        const first = await cipher.encrypt(plaintext, message)
        for (let i = 0; i < 20; i++) await cipher.encrypt(plaintext, message)
        const kms = kmsOf(fake, keyName)
        check(
          decoder.decode(await cipherOf(kms).decrypt(first, message)) === '4111 1111',
          'plaintext',
        )
        const made = fake.calls.map(({ operation }) => operation).join()
        check(made === 'Encrypt,Decrypt', made)
        const key = crypto.getRandomValues(new Uint8Array(32))
        const to = local.createLocalKms({ versions: [{ version: 1, key }] })
        const mover = cipherOf(new core.MultiKms({ read: [to, kms], write: [to] }))
        const moved = await mover.rewrap(first, { context: message.context })
        check(moved.slice(-37).join() === first.slice(-37).join(), 'the body changed')
        check(decoder.decode(await cipherOf(to).decrypt(moved, message)) === '4111 1111', 'moved')
      },
    },
    {
      name: 'R22 gcp-kms: a service account signs for itself, and a clock that is off is corrected',
      run: async () => {
        const fake = testing.createFakeGcp({ now: () => Date.now() - 1_200_000 })
        const key = await fake.createServiceAccountKey()
        const credentials = gcp.gcpServiceAccount({ key, network: fake.network })
        await cipherOf(kmsOf(fake, fake.createKey(), credentials)).encrypt(plaintext, message)
        check(fake.count('Encrypt') === 2, String(fake.count('Encrypt')))
        const caller = fake.calls.at(-1)?.caller ?? ''
        check(caller === 'app@acme-prod.iam.gserviceaccount.com', caller)
      },
    },
    {
      name: 'R22 gcp-kms: an identity of AWS is exchanged, and becomes a service account',
      run: async () => {
        const fakeAws = testing.createFakeAws()
        const pool = 'projects/1/locations/global/workloadIdentityPools/pool'
        const audience = `//iam.googleapis.com/${pool}/providers/prov`
        const arn = `arn:aws:iam::${fakeAws.accountId}:user/app`
        const email = 'app@acme-prod.iam.gserviceaccount.com'
        const tokenCreators = [`principal://iam.googleapis.com/${pool}/subject/${arn}`]
        const fake = testing.createFakeGcp({
          poolProviders: [{ audience, awsSts: (request) => fakeAws.fetch(request) }],
          serviceAccounts: [{ email, tokenCreators }],
        })
        const { network } = fake
        const { region, credentials } = fakeAws
        const identity = gcp.gcpWorkloadIdentityFromAws({ audience, region, credentials, network })
        const account = gcp.gcpImpersonation({
          serviceAccount: email,
          credentials: identity,
          network,
        })
        await cipherOf(kmsOf(fake, fake.createKey(), account)).encrypt(plaintext, message)
        const made = fake.calls.map(({ operation }) => operation).join()
        check(made === 'ExchangeToken,GenerateAccessToken,Encrypt', made)
        check(fake.calls.at(-1)?.caller === email, 'another caller')
      },
    },
    {
      name: 'R9 R10 gcp-kms: answers that must not be believed are typed errors',
      run: async () => {
        const { fake, keyName } = world()
        const kms = kmsOf(fake, keyName)
        const wanted = {
          'wrong-key': 'ERR_KMS_RESPONSE_INVALID',
          'wrong-length': 'ERR_KMS_RESPONSE_INVALID',
          'wrong-checksum': 'ERR_KMS_RESPONSE_INVALID',
          damaged: 'ERR_KMS_RESPONSE_INVALID',
          unverified: 'ERR_KMS_RESPONSE_INVALID',
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
      name: 'R21 gcp-kms: a body that hangs ends at the deadline',
      run: async () => {
        const { fake, keyName } = world()
        // The deadline is rung by hand, when the body is on its way.
        let ring = (): void => undefined
        const kms = gcp.createGcpKms({
          keyName,
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
