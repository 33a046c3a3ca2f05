import { expect, it } from 'vitest'
import { gatewayOptionsFromEnv } from '../../../adapters/gateway/env-options.ts'
import { CachedKms, EnvelopeCipher, type Outcome } from '../../../src/index.ts'
import { githubActionsToken } from '../../../src/credentials/oidc/index.ts'
import { awsCredentialsFromEnv } from '../../../src/providers/aws-kms/index.ts'
import { EnvKeyProvider } from '../../../src/providers/local/index.ts'

// These compile or they do not: an interface has no index signature, a type alias has one.

/** An environment as `wrangler types` writes it for a Worker. */
interface Env {
  readonly EDGE_KMS_KEY_V1: string
  readonly BUCKET: { readonly get: () => void }
}

interface Context {
  readonly tenant: string
  readonly region?: string
}

const KEY = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')
const env: Env = { EDGE_KMS_KEY_V1: KEY, BUCKET: { get: () => undefined } }
const context: Context = { tenant: 'acme' }

function valuesOf(outcomes: readonly Outcome<unknown>[]): readonly unknown[] {
  return outcomes.map((one) => {
    if (one.ok) return one.value
    throw one.error
  })
}

it('takes an interface for an environment, and for a context and an aad', async () => {
  const cipher = new EnvelopeCipher({ kms: new EnvKeyProvider(env) })
  const options = { context, aad: context }
  const text = await cipher.encryptText('4111 1111', options)
  expect(await cipher.decryptText(text, { context, aad: context })).toBe('4111 1111')
  await expect(cipher.decryptText(text, { context })).rejects.toMatchObject({
    code: 'ERR_DECRYPT_FAILED',
  })
  const record = await cipher.encrypt(new Uint8Array(1), options)
  expect(await cipher.rewrap(record, { context })).toBeInstanceOf(Uint8Array)
})

it('takes an interface for the variables of AWS, GitHub and the gateway', () => {
  interface Variables extends Env {
    readonly AWS_ACCESS_KEY_ID: string
    readonly AWS_SECRET_ACCESS_KEY: string
    readonly EDGE_KMS_GATEWAY_HOSTS: string
  }
  const all: Variables = {
    ...env,
    AWS_ACCESS_KEY_ID: 'AKID',
    AWS_SECRET_ACCESS_KEY: 'example',
    EDGE_KMS_GATEWAY_HOSTS: 'a.example.com',
  }
  expect(awsCredentialsFromEnv(all)).toMatchObject({ accessKeyId: 'AKID' })
  expect(gatewayOptionsFromEnv(all)).toEqual({ hosts: ['a.example.com'] })
  expect(() => githubActionsToken({ env: all, audience: 'a' })).toThrow('id-token: write')
})

it.each([undefined, null, 'EDGE_KMS_KEY_V1', 5])('refuses %j as an environment', (given) => {
  const wrong = given as unknown as object
  const text = 'env must be an object with the variables, got'
  expect(() => new EnvKeyProvider(wrong)).toThrow(text)
  expect(() => awsCredentialsFromEnv(wrong)).toThrow(text)
  expect(() => githubActionsToken({ env: wrong, audience: 'a' })).toThrow(text)
})

it('refuses a value that is not a string in a literal map, at compile time', async () => {
  const cipher = new EnvelopeCipher({ kms: new EnvKeyProvider(env) })
  const bytes = new Uint8Array(1)
  const record = await cipher.encrypt(bytes)
  const calls: readonly (() => Promise<unknown>)[] = [
    // @ts-expect-error -- a number
    () => cipher.encrypt(bytes, { context: { tenant: 5 } }),
    // @ts-expect-error -- a number, in an aad
    () => cipher.encryptText('a', { aad: { row: 42 } }),
    // @ts-expect-error -- what `headers.get` returns
    () => cipher.encryptText('a', { context: { tenant: new Headers().get('tenant') } }),
    // @ts-expect-error -- a map in a map
    () => cipher.decrypt(record, { context: { tenant: { id: 'acme' } } }),
    // @ts-expect-error -- no map at all
    () => cipher.rewrap(record, { context: 'acme' }),
    // @ts-expect-error -- a number, in an item
    () => cipher.encryptMany([{ plaintext: bytes, aad: { row: 1 } }]).then(valuesOf),
    // @ts-expect-error -- a flag, in an aad
    () => cipher.decryptStored(record, { aad: { draft: true } }),
  ]
  for (const call of calls) {
    await expect((async () => call())()).rejects.toMatchObject({ code: 'ERR_CONTEXT_INVALID' })
  }
})

it('takes an interface for the context of an item and of an invalidation', async () => {
  const keys = new CachedKms({ kms: new EnvKeyProvider(env) })
  const cipher = new EnvelopeCipher({ keys })
  const plaintext = new Uint8Array(1)
  const items = [
    { plaintext, context },
    { plaintext, context: { region: 'eu' }, aad: context },
  ]
  const sealed = await cipher.encryptMany(items)
  expect(sealed.every(({ ok }) => ok)).toBe(true)
  await keys.invalidate({ context })
})

it.each([
  [{ tenant: 5 }, '"tenant" is a number'],
  [new Map([['tenant', 'acme']]), 'must be a plain object'],
  [Promise.resolve({}), 'a promise: did you forget await?'],
])('refuses what only the compiler took for a context: %j', async (given, text) => {
  const cipher = new EnvelopeCipher({ kms: new EnvKeyProvider(env) })
  const call = cipher.encrypt(new Uint8Array(1), { context: given as object })
  await expect(call).rejects.toMatchObject({ code: 'ERR_CONTEXT_INVALID' })
  await expect(call).rejects.toThrow(text)
})
