import { describe, expect, it } from 'vitest'
import { decryptEnv, encryptEnvValue } from '../../../adapters/lambda/index.ts'
import { setup } from './support.ts'

const context = { app: 'orders' }

async function world() {
  const { cipher, kms } = setup()
  const env = {
    DB_URL: await encryptEnvValue(cipher, 'DB_URL', 'postgres://u:p@h/db', { context }),
    API_KEY: await encryptEnvValue(cipher, 'API_KEY', 'k-4111', { context }),
    STAGE: 'prod',
  }
  cipher.clear()
  kms.calls.length = 0
  return { cipher, kms, env }
}

describe('decryptEnv', () => {
  it('returns every encrypted value with one unwrap, and leaves env as it is', async () => {
    const { cipher, kms, env } = await world()
    const before = { ...env }
    const values = await decryptEnv(cipher, env, { context })
    expect(values).toEqual({ DB_URL: 'postgres://u:p@h/db', API_KEY: 'k-4111' })
    expect(env).toEqual(before)
    expect(kms.calls).toEqual(['unwrapDataKey'])
  })

  it.each([null, undefined, 'DB_URL=x'])(
    'refuses %s in the place of the environment',
    async (env) => {
      const { cipher } = await world()
      await expect(decryptEnv(cipher, env as never, { context })).rejects.toMatchObject({
        code: 'ERR_KMS_CONFIG',
      })
    },
  )

  it('returns the named values alone', async () => {
    const { cipher, env } = await world()
    expect(await decryptEnv(cipher, env, { context, names: ['API_KEY'] })).toEqual({
      API_KEY: 'k-4111',
    })
  })

  it('refuses a value that was moved to another name, and returns none then', async () => {
    const { cipher, env } = await world()
    const moved = { ...env, API_KEY: env.DB_URL }
    await expect(decryptEnv(cipher, moved, { context })).rejects.toMatchObject({
      code: 'ERR_DECRYPT_FAILED',
    })
  })

  it('refuses another context', async () => {
    const { cipher, env } = await world()
    await expect(decryptEnv(cipher, env, { context: { app: 'other' } })).rejects.toMatchObject({
      code: 'ERR_DECRYPT_FAILED',
    })
    await expect(decryptEnv(cipher, env)).rejects.toMatchObject({ code: 'ERR_DECRYPT_FAILED' })
  })

  it('refuses a named value that is missing, in clear or inherited', async () => {
    const { cipher, env } = await world()
    const ask = (names: readonly string[]) => decryptEnv(cipher, env, { context, names })
    await expect(ask(['NOPE'])).rejects.toThrow('env NOPE is not set')
    await expect(ask(['STAGE'])).rejects.toThrow('env STAGE is not encrypted')
    await expect(ask(['toString'])).rejects.toThrow('env toString is not set')
    await expect(ask('STAGE' as never)).rejects.toThrow('names must be a list of strings')
    const misspelt = { contxt: {} } as never
    await expect(decryptEnv(cipher, env, misspelt)).rejects.toThrow('unknown option: contxt')
  })

  it('never has a value in its errors', async () => {
    const { cipher } = await world()
    const env = { TOKEN: 'plain-canary-value' }
    const error: unknown = await decryptEnv(cipher, env, { names: ['TOKEN'] }).catch(
      (e: unknown) => e,
    )
    expect(JSON.stringify(error)).not.toContain('plain-canary-value')
  })
})
