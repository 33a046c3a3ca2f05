import { describe, expect, it } from 'vitest'
import {
  createFakeGcp,
  FAKE_GCP_DEFECTS,
  type FakeGcpDefect,
} from '../../../../adapters/fakes/index.ts'
import { base64, call, encrypted, opened, sumOf } from './client.ts'

const create = (defect?: FakeGcpDefect) =>
  createFakeGcp({ keys: [{ id: 'a' }, { id: 'b' }], ...(defect && { defects: [defect] }) })
type Fake = ReturnType<typeof create>

const ring = 'projects/acme-prod/locations/europe-west3/keyRings/app'
const [a, b] = [`${ring}/cryptoKeys/a`, `${ring}/cryptoKeys/b`]
const plaintext = base64('secret')

/** For each defect, whether a server has it, as a client can tell. */
const signs: Readonly<Record<FakeGcpDefect, (fake: Fake) => Promise<boolean>>> = {
  'ignores-aad': async (fake) =>
    (await opened(fake, a, await encrypted(fake, a, 'x'), 'y')) === 'secret',
  'ignores-checksums': async (fake) =>
    (await call(fake, 'POST', `${a}:encrypt`, { plaintext, plaintextCrc32c: '1' })).status === 200,
  'always-verified': async (fake) =>
    (await call(fake, 'POST', `${a}:encrypt`, { plaintext })).json['verifiedPlaintextCrc32c'] ===
    true,
  'answers-other-checksum': async (fake) => {
    const ciphertext = await encrypted(fake, a)
    const { json } = await call(fake, 'POST', `${a}:decrypt`, { ciphertext })
    return json['plaintextCrc32c'] !== sumOf('secret')
  },
  'ignores-version-state': async (fake) => {
    await call(fake, 'PATCH', `${a}/cryptoKeyVersions/1?updateMask=state`, { state: 'DISABLED' })
    return (await call(fake, 'POST', `${a}:encrypt`, { plaintext })).status === 200
  },
  'ignores-key': async (fake) => (await opened(fake, b, await encrypted(fake, a))) === 'secret',
  'keeps-primary': async (fake) => {
    await call(fake, 'POST', `${b}/cryptoKeyVersions`, {})
    await call(fake, 'POST', `${b}:updatePrimaryVersion`, { cryptoKeyVersionId: '2' })
    const { json } = await call(fake, 'GET', b)
    return (json['primary'] as { name: string }).name.endsWith('/1')
  },
  'names-no-version': async (fake) =>
    (await call(fake, 'POST', `${b}:encrypt`, { plaintext })).json['name'] === b,
  'ignores-size-limits': async (fake) =>
    (await call(fake, 'POST', `${b}:encrypt`, { plaintext: base64('x'.repeat(65_537)) })).status ===
    200,
  'accepts-any-token': async (fake) =>
    (await call(fake, 'GET', a, undefined, 'ya29.wrong')).status === 200,
}

describe('fake GCP: seeded faults', () => {
  it('are ten', () => {
    expect(Object.keys(signs)).toEqual(FAKE_GCP_DEFECTS)
    expect(FAKE_GCP_DEFECTS).toHaveLength(10)
  })

  it.each(FAKE_GCP_DEFECTS)('%s: only where it was asked for', async (defect) => {
    expect(await signs[defect](create(defect))).toBe(true)
    expect(await signs[defect](create())).toBe(false)
    for (const other of FAKE_GCP_DEFECTS)
      if (other !== defect) expect(await signs[defect](create(other)), other).toBe(false)
  })
})
