import type { Library, RuntimeCase } from './suite.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const message = { context: { tenant: 'acme' }, aad: { row: '42' } }

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

/** Azure Key Vault and Managed HSM on this runtime, against the fake of Azure in the same process. */
export function azureCases({ core, azure, local, testing }: Library): readonly RuntimeCase[] {
  type Fake = ReturnType<typeof testing.createFakeAzure>
  type Kms = ReturnType<typeof azure.createAzureKeyVaultKms>
  type Algorithm = 'RSA-OAEP-256' | 'A256KW'
  const plaintext = encoder.encode('4111 1111')

  const kmsOf = (fake: Fake, keyId: string, algorithm: Algorithm = 'RSA-OAEP-256'): Kms => {
    const { network } = fake
    const credentials = azure.azureClientSecret({ ...fake.credentials, network })
    // Making an RSA key takes a loaded machine its time.
    const timeoutMs = 60_000
    return azure.createAzureKeyVaultKms({ keyId, credentials, network, algorithm, timeoutMs })
  }
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
  let shared: { readonly fake: Fake; readonly keys: Record<string, string> } | undefined
  const world = (): NonNullable<typeof shared> => {
    if (shared !== undefined) return shared
    const fake = testing.createFakeAzure()
    const oct = { kty: 'oct-HSM' } as const
    const keys = {
      'RSA-OAEP-256': fake.createKey(),
      'RSA-OAEP-256 other': fake.createKey(),
      A256KW: fake.createKey(oct),
      'A256KW other': fake.createKey(oct),
    }
    shared = { fake, keys }
    return shared
  }
  const contracts = (['RSA-OAEP-256', 'A256KW'] as const).flatMap((algorithm) => {
    const kms = (which: string): Kms => {
      const { fake, keys } = world()
      return kmsOf(fake, keys[which] ?? '', algorithm)
    }
    const { capabilities } = azure.createAzureKeyVaultKms({
      keyId: `https://acme.${algorithm === 'A256KW' ? 'managedhsm' : 'vault'}.azure.net/keys/app`,
      credentials: () => Promise.resolve({ token: 'unused' }),
      algorithm,
    })
    const cases = testing.kmsContract(capabilities, {
      create: () => kms(algorithm),
      createOther: () => kms(`${algorithm} other`),
      wrapsAreDeterministic: algorithm === 'A256KW',
    })
    return cases.map((one) => ({
      ...one,
      name: `contract, azure-key-vault with ${algorithm}: ${one.name}`,
    }))
  })

  return [
    ...contracts,
    {
      name: 'R33 azure-key-vault: one call makes a key for many, one opens it again, one token for both',
      run: async () => {
        const fake = testing.createFakeAzure()
        const kms = kmsOf(fake, fake.createKey())
        const cipher = cipherOf(kms)
        const first = await cipher.encrypt(plaintext, message)
        for (let i = 0; i < 20; i++) await cipher.encrypt(plaintext, message)
        const cold = await cipherOf(kms).decrypt(first, message)
        check(decoder.decode(cold) === '4111 1111', 'the plaintext')
        const made = fake.calls.map(({ operation }) => operation).join()
        check(made === 'token,wrapKey,unwrapKey', made)
      },
    },
    {
      name: 'R33 azure-key-vault: an envelope moves from a local key to a vault, and is opened there',
      run: async () => {
        const { fake, keys } = world()
        const from = local.createLocalKms({
          versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
        })
        const to = kmsOf(fake, keys['RSA-OAEP-256'] ?? '')
        const envelope = await new core.EnvelopeCipher({ kms: from }).encrypt(plaintext, message)
        const both = new core.MultiKms({ read: [to, from], write: [to] })
        const mover = new core.EnvelopeCipher({ kms: both })
        const moved = await mover.rewrap(envelope, { context: message.context })
        const body = (bytes: Uint8Array): string => bytes.slice(-37).join()
        check(body(moved) === body(envelope), 'the body changed')
        const opened = await cipherOf(to).decrypt(moved, message)
        check(decoder.decode(opened) === '4111 1111', 'the plaintext')
        const wrong = { ...message, context: { tenant: 'other' } }
        const refused = await code(cipherOf(to).decrypt(moved, wrong))
        check(refused === 'ERR_DECRYPT_FAILED', refused)
      },
    },
    {
      name: 'R22 azure-key-vault: tokens of a federated issuer and of managed identities open the same key',
      run: async () => {
        const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
          'sign',
          'verify',
        ])
        const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey)
        const issuer = 'https://issuer.example.test'
        const clientId = '72f0a1c4-0000-4000-8000-000000000003'
        const federations = [{ issuer, subject: 'app', keys: [jwk] }]
        const fake = testing.createFakeAzure({ applications: [{ clientId, federations }] })
        const part = (bytes: Uint8Array): string =>
          btoa(String.fromCharCode(...bytes))
            .replaceAll('+', '-')
            .replaceAll('/', '_')
            .replaceAll('=', '')
        const token = async (): Promise<string> => {
          const claims = {
            iss: issuer,
            sub: 'app',
            aud: 'api://AzureADTokenExchange',
            exp: Math.floor(Date.now() / 1_000) + 600,
          }
          const text = [{ alg: 'ES256', typ: 'JWT' }, claims]
            .map((one) => part(encoder.encode(JSON.stringify(one))))
            .join('.')
          const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
          const data = encoder.encode(text)
          const signature = await crypto.subtle.sign(algorithm, pair.privateKey, data)
          return `${text}.${part(new Uint8Array(signature))}`
        }
        const { network, tenantId } = fake
        const keyId = fake.createKey()
        const endpoint = 'http://127.0.0.1:41741/msi/token'
        for (const credentials of [
          azure.azureFederatedToken({ tenantId, clientId, token, network }),
          azure.azureManagedIdentity({ network }),
          azure.azureAppServiceIdentity({ endpoint, header: 'not-a-secret-header', network }),
        ]) {
          const kms = azure.createAzureKeyVaultKms({
            keyId,
            credentials,
            network,
            timeoutMs: 60_000,
          })
          await cipherOf(kms).encrypt(plaintext, message)
          check(fake.calls.at(-1)?.caller === clientId, 'another caller')
        }
      },
    },
    {
      name: 'R9 azure-key-vault: answers that must not be believed are typed errors',
      run: async () => {
        const { fake, keys } = world()
        const kms = kmsOf(fake, keys['RSA-OAEP-256'] ?? '')
        await cipherOf(kms).encrypt(plaintext, message)
        const wanted = {
          'wrong-key': 'ERR_KMS_RESPONSE_INVALID',
          'wrong-length': 'ERR_KMS_RESPONSE_INVALID',
          'not-json': 'ERR_KMS_RESPONSE_INVALID',
          oversized: 'ERR_KMS_RESPONSE_INVALID',
          redirect: 'ERR_KMS_RESPONSE_INVALID',
          'foreign-challenge': 'ERR_KMS_RESPONSE_INVALID',
          reset: 'ERR_KMS_UNAVAILABLE',
          truncated: 'ERR_KMS_UNAVAILABLE',
          internal: 'ERR_KMS_UNAVAILABLE',
          unavailable: 'ERR_KMS_UNAVAILABLE',
          throttle: 'ERR_KMS_THROTTLED',
        } as const
        for (const kind of Object.keys(wanted) as (keyof typeof wanted)[]) {
          fake.faults.push({ kind, operation: 'wrapKey' })
          const got = await code(cipherOf(kms).encrypt(plaintext, message))
          check(got === wanted[kind], `${kind}: ${got}`)
          check(fake.faults.pending.length === 0, `${kind} was not met`)
        }
      },
    },
  ]
}
