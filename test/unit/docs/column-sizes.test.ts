// Encrypts for real, and compares the lengths with the tables and the formulas of docs/reference/column-sizes.md.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createFakeAws, createFakeVault } from '../../../adapters/fakes/index.ts'
import { EncryptedEnvelope, EnvelopeCipher, type KeyManagementService } from '../../../src/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { createVaultTransitKms, vaultToken } from '../../../src/providers/vault-transit/index.ts'
import { MultiKms } from '../../../src/resilience/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'

const page = readFileSync(
  new URL('../../../docs/reference/column-sizes.md', import.meta.url),
  'utf8',
)
const SAMPLES = [16, 64, 256, 1_024, 4_096]
const context = { tenant: 'acme' }

/** The numbers of a row below a heading. */
function row(heading: string, first: string): number[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const line = section.split('\n').find((one) => one.startsWith(`| ${first} |`)) ?? ''
  const cells = line.split('|').slice(2, -1)
  return cells.map((cell) => Number(cell.replaceAll(',', '')))
}

function local(name: string): KeyManagementService {
  const key = crypto.getRandomValues(new Uint8Array(32))
  return createLocalKms({ kekId: name, versions: [{ version: 1, key }] })
}

function vault(): KeyManagementService {
  const fake = createFakeVault({ keys: [{ name: 'app' }], tokens: [{ token: 'hvs.test' }] })
  return createVaultTransitKms({
    endpoint: 'https://vault.test',
    key: 'app',
    auth: vaultToken('hvs.test'),
    network: fake.network,
  })
}

function aws(): KeyManagementService {
  const fake = createFakeAws()
  const { accessKeyId, secretAccessKey } = fake.credentials
  return createAwsKms({
    keyId: fake.createKey().arn,
    credentials: { accessKeyId, secretAccessKey },
    network: fake.network,
  })
}

async function bytesOf(cipher: EnvelopeCipher): Promise<number[]> {
  const lengths = [0, ...SAMPLES].map(async (n) => {
    const envelope = await cipher.encrypt(new Uint8Array(n), { context })
    return envelope.length
  })
  return Promise.all(lengths)
}

async function charactersOf(cipher: EnvelopeCipher): Promise<number[]> {
  const lengths = SAMPLES.map(async (n) => {
    const text = await cipher.encryptText('x'.repeat(n), { context })
    return text.length
  })
  return Promise.all(lengths)
}

it.each([
  ['local', () => local('app')],
  ['Vault and OpenBao transit', vault],
])('a record under %s is as long as the page says', async (name, kmsOf) => {
  const cipher = new EnvelopeCipher({ kms: kmsOf() })
  expect(await bytesOf(cipher)).toEqual(row('Bytes', name))
  expect(await charactersOf(cipher)).toEqual(row('Characters', name))
})

it('a record by reference is as long as the page says', async () => {
  const dataKeyStore = new MemoryDataKeyStore()
  const cipher = new EnvelopeCipher({ kms: local('app'), dataKeyStore, form: 'reference' })
  expect(await bytesOf(cipher)).toEqual(row('Bytes', 'by reference, any KMS'))
  expect(await charactersOf(cipher)).toEqual(row('Characters', 'by reference, any KMS'))
})

const utf8 = (text: string): number => new TextEncoder().encode(text).length

it.each([
  ['one KEK', () => local('app'), context, []],
  ['AWS KMS', aws, { tenant: 'acme', region: 'zürich' }, []],
  ['several KEKs', () => new MultiKms({ read: [local('a'), vault(), aws()] }), context, []],
  ['no context', () => local('app'), {}, []],
  ['an entry that no header carries', () => local('app'), { tenant: 'a', user: '7' }, ['user']],
  ['no entry that a header carries', () => local('app'), context, ['tenant']],
] as const)('the formula of a record holds for %s', async (_name, kmsOf, given, required) => {
  const cipher = new EnvelopeCipher({ kms: kmsOf(), requiredContextKeys: required })
  const envelope = await cipher.encrypt(new Uint8Array(100), { context: given })

  const wraps = EncryptedEnvelope.parse(envelope).wraps.map(
    ({ provider, kekId, kekVersion, wrapped }) =>
      7 + utf8(provider) + utf8(kekId) + utf8(kekVersion) + wrapped.length,
  )
  const entries = Object.entries(given)
    .filter(([key]) => !(required as readonly string[]).includes(key))
    .map(([key, value]) => 4 + utf8(key) + utf8(value))
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
  const stored = entries.length === 0 ? 0 : 4 + sum(entries)

  expect(page).toContain('| inline record | 118 + n + W + C |')
  expect(envelope.length).toBe(118 + 100 + sum(wraps) + stored)
})
