/** One key at each vendor's fake, with credentials for its service and for its administrator. */
import {
  createFakeAws,
  createFakeAzure,
  createFakeGcp,
  createFakeVault,
} from '../../../adapters/fakes/index.ts'
import type { KekVersion, KeyManagementService } from '../../../src/index.ts'
import type { KeyLifecycle } from '../../../src/kms/index.ts'
import { createAwsKeyLifecycle, createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import {
  azureClientSecret,
  createAzureKeyLifecycle,
  createAzureKeyVaultKms,
} from '../../../src/providers/azure-key-vault/index.ts'
import {
  createGcpKeyLifecycle,
  createGcpKms,
  gcpServiceAccount,
} from '../../../src/providers/gcp-kms/index.ts'
import {
  createLocalKeyLifecycle,
  createLocalKms,
  type LocalKeyPlace,
  type LocalKeyVersion,
} from '../../../src/providers/local/index.ts'
import {
  createVaultKeyLifecycle,
  createVaultTransitKms,
  vaultToken,
} from '../../../src/providers/vault-transit/index.ts'
import { turning } from '../../unit/rotation/fixture.ts'

/** A key, seen by its service and by its administrator. */
export interface VendorKey {
  /** Of the service, which may not administer the key. */
  readonly kms: KeyManagementService
  readonly lifecycle: KeyLifecycle
  /** A lifecycle with the service's credentials; the local provider has none. */
  readonly denied?: KeyLifecycle
  /** Makes a new version current, as the vendor's automatic rotation does. */
  readonly rotate: () => Promise<unknown>
}

const READS = [
  'Encrypt',
  'Decrypt',
  'GenerateDataKey',
  'ReEncryptFrom',
  'ReEncryptTo',
  'DescribeKey',
]
const awsService = { accessKeyId: 'AKIAIOSFODNN7SERVICE', secretAccessKey: 'not-a-secret-service' }
const awsAdmin = { accessKeyId: 'AKIAIOSFODNN7EXAMPL2', secretAccessKey: 'not-a-secret-admin' }
export const aws = createFakeAws({
  accessKeys: [
    awsAdmin,
    {
      ...awsService,
      userName: 'service',
      policy: { allow: READS.map((name) => `kms:${name}`) },
    },
  ],
})

/** A key of AWS, which has one name for all its material. */
export function awsKey(): VendorKey & { readonly keyId: string } {
  const { arn: keyId } = aws.createKey()
  const { network } = aws
  const of = (credentials: typeof awsAdmin) => ({ keyId, network, credentials })
  return {
    keyId,
    kms: createAwsKms(of(awsService)),
    lifecycle: createAwsKeyLifecycle(of(awsAdmin)),
    denied: createAwsKeyLifecycle(of(awsService)),
    rotate: () => createAwsKms(of(awsAdmin)).rotateKey({}),
  }
}

const gcpService = 'app@acme-prod.iam.gserviceaccount.com'
export const gcp = createFakeGcp({
  serviceAccounts: [
    { email: 'admin@acme-prod.iam.gserviceaccount.com' },
    {
      email: gcpService,
      policy: {
        allow: [
          'cloudkms.cryptoKeys.get',
          'cloudkms.cryptoKeyVersions.get',
          'cloudkms.cryptoKeyVersions.useToEncrypt',
          'cloudkms.cryptoKeyVersions.useToDecrypt',
        ],
      },
    },
  ],
})
let gcpKeyFile: Promise<string> | undefined

export async function gcpKey(): Promise<VendorKey> {
  const keyName = gcp.createKey()
  const { network, credentials: admin } = gcp
  gcpKeyFile ??= gcp.createServiceAccountKey(gcpService)
  const service = gcpServiceAccount({ key: await gcpKeyFile, network })
  return {
    kms: createGcpKms({ keyName, network, credentials: service }),
    lifecycle: createGcpKeyLifecycle({ keyName, network, credentials: admin }),
    denied: createGcpKeyLifecycle({ keyName, network, credentials: service }),
    rotate: () => createGcpKms({ keyName, network, credentials: admin }).rotateKey({}),
  }
}

const azureService = {
  clientId: '72f0a1c4-0000-4000-8000-000000000003',
  clientSecret: 'not-a-secret~service',
}
export const azure = createFakeAzure({
  applications: [
    { clientId: '72f0a1c4-0000-4000-8000-000000000002', clientSecret: 'not-a-secret~admin' },
    { ...azureService, permissions: ['get', 'list', 'getDeleted', 'wrapKey', 'unwrapKey'] },
  ],
})

export function azureKey(): VendorKey {
  const keyId = azure.createKey()
  const { network } = azure
  const admin = azureClientSecret({ ...azure.credentials, network })
  const service = azureClientSecret({ ...azure.credentials, ...azureService, network })
  return {
    kms: createAzureKeyVaultKms({ keyId, network, credentials: service }),
    lifecycle: createAzureKeyLifecycle({ keyId, network, credentials: admin }),
    denied: createAzureKeyLifecycle({ keyId, network, credentials: service }),
    rotate: () => createAzureKeyVaultKms({ keyId, network, credentials: admin }).rotateKey({}),
  }
}

export const vault = createFakeVault({
  tokens: [
    { token: 'root' },
    {
      token: 'service',
      policy: {
        'transit/keys/*': ['read'],
        'transit/encrypt/*': ['update'],
        'transit/decrypt/*': ['update'],
      },
    },
  ],
})
let vaultKeys = 0

export function vaultKey(): VendorKey {
  vaultKeys += 1
  const key = `key-${String(vaultKeys)}`
  vault.createKey({ name: key })
  const { endpoint, network } = vault
  const of = (token: string) => ({ endpoint, key, network, auth: vaultToken(token) })
  return {
    kms: createVaultTransitKms(of('service')),
    lifecycle: createVaultKeyLifecycle(of('root')),
    denied: createVaultKeyLifecycle(of('service')),
    rotate: () => createVaultTransitKms(of('root')).rotateKey({}),
  }
}

/** A local key whose versions are in a map, as in a secret manager; a process has those that are enabled. */
export function localKey(): VendorKey & { readonly kept: ReadonlyMap<number, Uint8Array> } {
  const kept = new Map<number, Uint8Array>([[1, crypto.getRandomValues(new Uint8Array(32))]])
  const inUse = new Set([1])
  const gone = new Set<number>()
  const service = (): KeyManagementService => {
    const versions = [...kept].filter(([version]) => inUse.has(version))
    return createLocalKms({
      versions: versions.map(([version, key]): LocalKeyVersion => ({ version, key })),
    })
  }
  const keys: LocalKeyPlace = {
    stateOf: (version) => {
      if (gone.has(version)) return Promise.resolve('destroyed')
      if (!kept.has(version)) return Promise.resolve(undefined)
      return Promise.resolve(inUse.has(version) ? 'enabled' : 'disabled')
    },
    disable: (version) => Promise.resolve(void inUse.delete(version)),
    enable: (version) => Promise.resolve(void inUse.add(version)),
    destroy: (version) => {
      kept.delete(version)
      gone.add(version)
      return Promise.resolve()
    },
  }
  return {
    kept,
    kms: turning(service),
    lifecycle: createLocalKeyLifecycle({ keys }),
    rotate: () => {
      const next = Math.max(...kept.keys(), ...gone) + 1
      kept.set(next, crypto.getRandomValues(new Uint8Array(32)))
      inUse.add(next)
      return Promise.resolve()
    },
  }
}

/** A wrap under the version that is current now, and the work that opens it. */
export async function wrapped(
  kms: KeyManagementService,
): Promise<{ readonly version: KekVersion; readonly open: () => Promise<unknown> }> {
  const context = { 'edge-kms:dk': 'salt.1' }
  const { wraps } = await kms.generateDataKey({ context })
  const [{ provider, kekId, kekVersion } = { provider: '', kekId: '', kekVersion: '' }] = wraps
  return {
    version: { provider, kekId, kekVersion },
    open: async () => {
      ;(await kms.unwrapDataKey(wraps, { context })).plaintext.dispose()
    },
  }
}
