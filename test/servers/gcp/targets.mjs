/** The servers that play Cloud KMS: an emulator that others wrote, and our own fake behind a port. */
import { openFront } from '../../../tools/servers/front.mjs'
import { withServers } from '../../../tools/servers/with-servers.mjs'

const location = 'projects/acme-prod/locations/europe-west3'

const loadTesting = () => import(new URL('../../../adapters/fakes/index.ts', import.meta.url).href)

/** The faults that the fake can be told to have. */
export const fakeDefects = async () => (await loadTesting()).FAKE_GCP_DEFECTS

/** @param {(target: import('./world.mjs').GcpTarget) => Promise<void>} work */
function withEmulator(work) {
  return withServers(['gcp-kms-emulator'], async (servers, [missing]) => {
    if (missing !== undefined) return missing.reason
    const { url } = servers['gcp-kms-emulator']
    // It looks at no token.
    await work({ name: 'emulator', endpoint: url, location, token: 'ya29.anything' })
    return undefined
  })
}

const encryptOnly = 'encrypt-only@acme-prod.iam.gserviceaccount.com'

/**
 * @param {(target: import('./world.mjs').GcpTarget & { fake: any }) => Promise<void>} work
 * @param {readonly string[]} [defects]
 */
export async function withFake(work, defects = []) {
  const { createFakeGcp } = await loadTesting()
  const admin = 'admin@acme-prod.iam.gserviceaccount.com'
  const fake = createFakeGcp({
    serviceAccounts: [
      { email: admin },
      {
        email: encryptOnly,
        tokenCreators: [admin],
        policy: { allow: ['cloudkms.cryptoKeyVersions.useToEncrypt'] },
      },
    ],
    defects,
  })
  const front = await openFront((request) => fake.fetch(request))
  const { token } = fake.credentials
  try {
    const account = `projects/-/serviceAccounts/${encryptOnly}`
    const answer = await fetch(`${front.url}/v1/${account}:generateAccessToken`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ scope: ['https://www.googleapis.com/auth/cloudkms'] }),
    })
    const { accessToken } = await answer.json()
    await work({
      name: 'fake',
      endpoint: front.url,
      location,
      token,
      encryptOnly: accessToken,
      fake,
    })
  } finally {
    await front.close()
  }
  return undefined
}

export const targets = { emulator: withEmulator, fake: withFake }
