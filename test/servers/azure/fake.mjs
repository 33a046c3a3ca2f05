/** Our own fake of Azure as a target for Microsoft's clients: the only one that can be had. */
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto'

const tenantId = '72f0a1c4-0000-4000-8000-000000000001'
const admin = { clientId: '72f0a1c4-0000-4000-8000-00000000000a', clientSecret: 'not-a-secret-a' }
const writer = { clientId: '72f0a1c4-0000-4000-8000-00000000000b', clientSecret: 'not-a-secret-b' }
const user = { clientId: '72f0a1c4-0000-4000-8000-00000000000d', clientSecret: 'not-a-secret-d' }
const workload = '72f0a1c4-0000-4000-8000-00000000000c'
const issuer = 'https://issuer.example.test'
const subject = 'system:serviceaccount:app:app'
const hourMs = 3_600_000

/** A key with what stands for its certificate: the service looks at its hash only. */
function certificateOf() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const der = Buffer.concat([Buffer.from([0x30, 0x82, 0x02, 0x00]), randomBytes(512)])
  const lines = der.toString('base64').replace(/(.{64})/g, '$1\n')
  const pem = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
  return {
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }) + pem,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    certificate: pem,
    thumbprint: createHash('sha256').update(der).digest('base64url'),
    jwk: publicKey.export({ format: 'jwk' }),
  }
}

/** Tokens of the issuer that the workload's application trusts. */
function issuerOf() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = (kind) => {
    const claims = {
      iss: issuer,
      sub: kind === 'wrong-subject' ? 'other' : subject,
      aud: kind === 'wrong-audience' ? 'other' : 'api://AzureADTokenExchange',
      exp: Math.floor(Date.now() / 1_000) + (kind === 'expired' ? -3_600 : 3_600),
    }
    const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`
    const key = kind === 'wrong-signature' ? stranger : privateKey
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key).toString('base64url')}`
  }
  return { jwk: publicKey.export({ format: 'jwk' }), token }
}

/** The public index of what `edge-kms/testing` exports. */
const loadTesting = () => import(new URL('../../../adapters/fakes/index.ts', import.meta.url).href)

/** The faults that the fake can be told to have. */
export const fakeDefects = async () => (await loadTesting()).FAKE_AZURE_DEFECTS

/**
 * @param {import('./world.mjs').Sdk} sdk
 * @param {(target: import('./world.mjs').AzureTarget) => Promise<void>} work
 * @param {readonly string[]} [defects]
 */
export async function withFake(sdk, work, defects = []) {
  const { createFakeAzure } = await loadTesting()
  const [own, other] = [certificateOf(), certificateOf()]
  const { jwk, token } = issuerOf()
  let offsetMs = -2 * hourMs
  const fake = createFakeAzure({
    tenantId,
    applications: [
      { ...admin, certificates: [{ thumbprint: own.thumbprint, key: own.jwk }] },
      { ...user, permissions: ['wrapKey', 'unwrapKey'] },
      { ...writer, permissions: ['wrapKey'] },
      { clientId: workload, federations: [{ issuer, subject, keys: [jwk] }] },
    ],
    now: () => Date.now() + offsetMs,
    defects,
  })
  const target = {
    name: 'fake',
    fetch: (request) => fake.fetch(request),
    vault: 'https://acme.vault.azure.net',
    hsm: 'https://acme.managedhsm.azure.net',
    tenantId,
    admin,
    user,
    writer,
    workload,
    workloadToken: token,
    certificate: own.pem,
    // The registered certificate with a key that is not its own.
    wrongCertificate: other.privateKey + own.certificate,
    unknownCertificate: other.pem,
    foreignChallenge: () => fake.faults.push({ kind: 'foreign-challenge', operation: 'get' }),
  }
  const expired = await oldToken(sdk, target)
  offsetMs = 0
  await work({ ...target, expired })
  return undefined
}

/** A token that was made two hours ago and lived one. */
async function oldToken(sdk, target) {
  const { createWorld } = await import('./world.mjs')
  const world = createWorld(sdk, target)
  return (await world.tokenOf(world.secretOf(target.admin))).token
}
