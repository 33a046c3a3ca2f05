// Workload identity with tokens of an issuer that others wrote: oauth2-mock-server signs, the fake of
// Google's STS verifies. The emulator has no token endpoints.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFileToken } from '../../../adapters/node/index.ts'
import { isKmsError } from '../../../src/index.ts'
import { createGcpKms, gcpWorkloadIdentity } from '../../../src/providers/gcp-kms/index.ts'
import { createFakeGcp } from '../../../adapters/fakes/index.ts'
import { loadIssuer } from './clients.mjs'

const audience =
  '//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/pool/providers/prov'
const context = { 'edge-kms:dk': 'salt.1' }

/** @param {any} target @param {any} tools */
export async function run(target, { check, skip }) {
  if (target.name !== 'fake') return skip('workload identity', 'this server has no token endpoints')
  const { OAuth2Server } = loadIssuer()
  const server = new OAuth2Server()
  await server.issuer.keys.generate('RS256')
  await server.start(0, '127.0.0.1')
  const issuer = `http://127.0.0.1:${server.address().port}`
  server.issuer.url = issuer
  try {
    const { keys } = await (await fetch(`${issuer}/jwks`)).json()
    const fake = createFakeGcp({ poolProviders: [{ audience, issuer, keys }] })
    const keyName = fake.createKey()
    const buildToken = (/** @type {object} */ claims, /** @type {number} */ expiresIn) => {
      const transform = (/** @type {object} */ _header, /** @type {object} */ payload) =>
        Object.assign(payload, { aud: `https:${audience}`, sub: 'app', ...claims })
      return server.issuer.buildToken({ expiresIn, scopesOrTransform: transform })
    }
    const codeOf = async (/** @type {Promise<unknown>} */ work) => {
      try {
        await work
        return 'no error'
      } catch (error) {
        return isKmsError(error) ? error.code : error
      }
    }
    const codeWith = async (/** @type {object} */ claims, /** @type {number} */ expiresIn) => {
      const token = () => buildToken(claims, expiresIn)
      const credentials = gcpWorkloadIdentity({ audience, token, network: fake.network })
      const kms = createGcpKms({ keyName, credentials, network: fake.network })
      const code = await codeOf(kms.generateDataKey({ context }))
      if (code !== 'no error') return code
      return fake.calls.at(-1)?.caller?.endsWith('/subject/app') === true ? 'app' : 'another'
    }
    await check('a token of oauth2-mock-server is exchanged', async () =>
      assert.equal(await codeWith({}, 300), 'app'),
    )
    await check(
      'a token in a file is exchanged, and the one that replaces it after that',
      async () => {
        const folder = mkdtempSync(join(tmpdir(), 'edge-kms-token-'))
        try {
          const path = join(folder, 'token')
          const write = async (/** @type {number} */ expiresIn) => {
            writeFileSync(path, `${String(await buildToken({}, expiresIn))}\n`)
          }
          const exchange = async () => {
            const token = nodeFileToken(path)
            const credentials = gcpWorkloadIdentity({ audience, token, network: fake.network })
            const kms = createGcpKms({ keyName, credentials, network: fake.network })
            return codeOf(kms.generateDataKey({ context }))
          }
          await write(300)
          assert.equal(await exchange(), 'no error')
          await write(-60)
          assert.equal(await exchange(), 'ERR_KMS_UNAUTHENTICATED')
          rmSync(path)
          assert.equal(await exchange(), 'ERR_KMS_CONFIG')
        } finally {
          rmSync(folder, { recursive: true })
        }
      },
    )
    await check('one for another audience is not', async () =>
      assert.equal(
        await codeWith({ aud: 'https://other.example' }, 300),
        'ERR_KMS_UNAUTHENTICATED',
      ),
    )
    await check('one that has expired is not', async () =>
      assert.equal(await codeWith({}, -60), 'ERR_KMS_UNAUTHENTICATED'),
    )
  } finally {
    await server.stop()
  }
  return undefined
}
