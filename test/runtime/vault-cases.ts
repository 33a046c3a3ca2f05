import type { Library, RuntimeCase } from './suite.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const message = { context: { tenant: 'acme' }, aad: { row: '42' } }

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

/** Transit of Vault on this runtime, against the fake of Vault in the same process. */
export function vaultCases({ core, vault, local, testing }: Library): readonly RuntimeCase[] {
  type Fake = ReturnType<typeof testing.createFakeVault>
  type Options = Parameters<typeof vault.createVaultTransitKms>[0]
  type Kms = ReturnType<typeof vault.createVaultTransitKms>
  const plaintext = encoder.encode('4111 1111')

  const kmsOf = ({ endpoint, network, token }: Fake, options: Partial<Options> = {}): Kms =>
    vault.createVaultTransitKms({
      endpoint,
      network,
      key: 'app',
      auth: vault.vaultToken(token),
      ...options,
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
  let shared: Fake | undefined
  const world = (): Fake =>
    (shared ??= testing.createFakeVault({
      keys: ['app', 'other'].flatMap((name) => [
        { name },
        { name: `${name}-derived`, derived: true },
      ]),
    }))
  const contracts = (['associated-data', 'derivation'] as const).flatMap((bindBy) => {
    const suffix = bindBy === 'derivation' ? '-derived' : ''
    const { capabilities } = vault.createVaultTransitKms({
      endpoint: 'https://vault.example',
      key: 'app',
      auth: vault.vaultToken('unused'),
      bindBy,
    })
    const subject = {
      create: () => kmsOf(world(), { key: `app${suffix}`, bindBy }),
      createOther: () => kmsOf(world(), { key: `other${suffix}`, bindBy }),
    }
    return testing
      .kmsContract(capabilities, subject)
      .map((one) => ({ ...one, name: `contract, vault-transit by ${bindBy}: ${one.name}` }))
  })

  return [
    ...contracts,
    {
      name: 'R33 vault-transit: a page of 1,000 records under 20 data keys is opened by one call',
      run: async () => {
        const fake = testing.createFakeVault({ keys: [{ name: 'app' }] })
        const items = Array.from({ length: 1_000 }, (_, i) => ({
          plaintext: new Uint8Array([i & 255, i >> 8]),
          context: { tenant: String(i % 20) },
        }))
        const sealed = await cipherOf(kmsOf(fake)).encryptMany(items)
        const page = sealed.map((outcome, i) => ({
          envelope: outcome.ok ? outcome.value : new Uint8Array(),
          context: { tenant: String(i === 500 ? 'evil' : i % 20) },
        }))
        const opened = await cipherOf(kmsOf(fake)).decryptMany(page)
        const calls = fake.calls.filter(({ operation }) => operation === 'decrypt')
        check(calls.length === 1 && calls[0]?.items === 20, JSON.stringify(calls))
        for (const [i, outcome] of opened.entries()) {
          if (i === 500)
            check(!outcome.ok && outcome.error.code === 'ERR_DECRYPT_FAILED', 'item 500')
          else check(outcome.ok && outcome.value[0] === (i & 255), `item ${String(i)}`)
        }
      },
    },
    {
      name: 'R33 vault-transit: an envelope moves from a local key to Vault, and is opened there',
      run: async () => {
        const from = local.createLocalKms({
          versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
        })
        const to = kmsOf(world())
        const envelope = await cipherOf(from).encrypt(plaintext, message)
        const mover = cipherOf(new core.MultiKms({ read: [to, from], write: [to] }))
        const moved = await mover.rewrap(envelope, { context: message.context })
        check(moved.slice(-37).join() === envelope.slice(-37).join(), 'the body changed')
        const opened = await cipherOf(kmsOf(world())).decrypt(moved, message)
        check(decoder.decode(opened) === '4111 1111', 'the plaintext')
        const refused = await code(cipherOf(from).decrypt(moved, message))
        check(refused === 'ERR_ENVELOPE_UNKNOWN_KEY', refused)
      },
    },
    {
      name: 'R22 vault-transit: logins by AppRole and by AWS, and one more where a token was revoked',
      run: async () => {
        const amazon = testing.createFakeAws()
        const { credentials } = amazon
        const fake = testing.createFakeVault({
          keys: [{ name: 'app' }],
          appRoles: [{ roleId: 'role', secretIds: ['secret-id'] }],
          aws: {
            sts: (request) => amazon.fetch(request),
            roles: [{ name: 'app', principalArn: 'arn:aws:iam::111122223333:user/app' }],
          },
        })
        const sent: (string | null)[] = []
        let now = Date.now()
        const ports = {
          runtime: {
            now: () => now,
            randomFill: (b: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(b),
          },
          network: {
            ...fake.network,
            fetch: (url: string, init: RequestInit) => {
              sent.push(new Headers(init.headers).get('x-vault-token'))
              return fake.network.fetch(url, init)
            },
          },
        }
        const byAws = vault.vaultAwsIam({ role: 'app', credentials })
        const byRole = vault.vaultAppRole({ roleId: 'role', secretId: 'secret-id' })
        for (const auth of [byAws, byRole]) {
          fake.forgetCalls()
          const kms = kmsOf(fake, { auth, ...ports })
          await kms.currentVersion({})
          fake.revoke(sent.at(-1) ?? '')
          now += 60_000
          await kms.currentVersion({})
          const made = fake.calls.map(({ operation }) => operation).join()
          check(made === 'login,keys,keys,login,keys', made)
        }
      },
    },
    {
      name: 'R9 vault-transit: answers that must not be believed are typed errors',
      run: async () => {
        const invalid = 'ERR_KMS_RESPONSE_INVALID'
        const wanted = {
          'wrong-version': invalid,
          'wrong-prefix': invalid,
          'not-json': invalid,
          oversized: invalid,
          redirect: invalid,
          standby: invalid,
          reset: 'ERR_KMS_UNAVAILABLE',
          truncated: 'ERR_KMS_UNAVAILABLE',
          sealed: 'ERR_KMS_UNAVAILABLE',
          internal: 'ERR_KMS_UNAVAILABLE',
          throttle: 'ERR_KMS_THROTTLED',
        } as const
        const fake = testing.createFakeVault({ keys: [{ name: 'app' }] })
        for (const kind of Object.keys(wanted) as (keyof typeof wanted)[]) {
          fake.faults.push({ kind, operation: 'encrypt' })
          const got = await code(cipherOf(kmsOf(fake)).encrypt(plaintext, message))
          check(got === wanted[kind], `${kind}: ${got}`)
          check(fake.faults.pending.length === 0, `${kind} was not met`)
        }
      },
    },
    {
      name: 'R9 vault-transit: a standby sends on to an origin that is allowed, and to no other',
      run: async () => {
        const active = 'https://vault-1.example:8200'
        const fake = testing.createFakeVault({ keys: [{ name: 'app' }] })
        const standbyOrigins = [active]
        fake.faults.push({ kind: 'standby', operation: 'keys', location: active })
        await kmsOf(fake, { standbyOrigins }).currentVersion({})
        check(fake.count('keys') === 2, String(fake.count('keys')))
        fake.faults.push({ kind: 'redirect', operation: 'keys' })
        const got = await code(kmsOf(fake, { standbyOrigins }).currentVersion({}))
        check(got === 'ERR_KMS_RESPONSE_INVALID', got)
      },
    },
  ]
}
