import { describe, expect, it } from 'vitest'
import { createFakeGcp } from '../../../../adapters/fakes/index.ts'
import { base64, call, encrypted, opened, sumOf } from './client.ts'

const location = 'projects/acme-prod/locations/europe-west3'
const ring = `${location}/keyRings/app`
const a = `${ring}/cryptoKeys/a`
const create = () => createFakeGcp({ keys: [{ id: 'a' }, { id: 'h', protectionLevel: 'HSM' }] })
const plaintext = base64('secret')

describe('fake GCP: Encrypt and Decrypt', () => {
  it('answer as Google documents it', async () => {
    const fake = create()
    const sums = { plaintextCrc32c: sumOf('secret'), additionalAuthenticatedDataCrc32c: sumOf('') }
    const { json } = await call(fake, 'POST', `${a}:encrypt`, { plaintext, ...sums })
    expect(json).toMatchObject({
      name: `${a}/cryptoKeyVersions/1`,
      verifiedPlaintextCrc32c: true,
      verifiedAdditionalAuthenticatedDataCrc32c: true,
      protectionLevel: 'SOFTWARE',
    })
    expect(json['ciphertext']).toMatch(/^CiQA/)
    const open = await call(fake, 'POST', `${a}:decrypt`, { ciphertext: json['ciphertext'] })
    expect(open.json).toEqual({
      plaintext,
      plaintextCrc32c: sumOf('secret'),
      usedPrimary: true,
      protectionLevel: 'SOFTWARE',
    })
  })

  it('take snake_case and URL-safe base64, and no unknown member', async () => {
    const fake = create()
    const ciphertext = (await encrypted(fake, a, 'x')).replaceAll('+', '-').replaceAll('/', '_')
    const body = {
      ciphertext: ciphertext.replace(/=+$/, ''),
      additional_authenticated_data: base64('x'),
    }
    expect((await call(fake, 'POST', `${a}:decrypt`, body)).status).toBe(200)
    const more = await call(fake, 'POST', `${a}:decrypt`, { ...body, keyId: 'a' })
    expect(more.error).toBe('INVALID_ARGUMENT')
  })

  it('tell a foreign ciphertext from a damaged one, both with INVALID_ARGUMENT', async () => {
    const fake = create()
    const ciphertext = await encrypted(fake, a, 'x')
    const last = ciphertext.endsWith('A=') ? 'Q=' : 'A='
    const cases = [
      [a, ciphertext, 'y'],
      [a, ciphertext.slice(0, -2) + last, 'x'],
      [a, base64('junk'), 'x'],
      [`${ring}/cryptoKeys/h`, ciphertext, 'x'],
    ] as const
    for (const [key, text, aad] of cases)
      expect(await opened(fake, key, text, aad)).toBe('INVALID_ARGUMENT')
  })

  it.each([
    ['a', 65_536, 65_536, 200],
    ['a', 65_537, 0, 400],
    ['a', 0, 65_537, 400],
    ['h', 4_096, 4_096, 200],
    ['h', 4_096, 4_097, 400],
  ])('key %s takes %i and %i bytes: %i', async (id, length, aadLength, status) => {
    const body = {
      plaintext: base64('x'.repeat(length)),
      additionalAuthenticatedData: base64('x'.repeat(aadLength)),
    }
    const path = `${ring}/cryptoKeys/${id}:encrypt`
    expect((await call(create(), 'POST', path, body)).status).toBe(status)
  })

  it('encrypt under a named version, and decrypt by the key alone', async () => {
    const fake = create()
    await call(fake, 'POST', `${a}/cryptoKeyVersions`, {})
    const two = `${a}/cryptoKeyVersions/2`
    const { json } = await call(fake, 'POST', `${two}:encrypt`, { plaintext })
    expect(json['name']).toBe(two)
    const open = await call(fake, 'POST', `${a}:decrypt`, { ciphertext: json['ciphertext'] })
    // Proto3's JSON leaves out what is false.
    expect([open.status, open.json['usedPrimary']]).toEqual([200, undefined])
    const response = await fake.network.fetch(`https://cloudkms.googleapis.com/v1/${two}:decrypt`, {
      method: 'POST',
      body: '{}',
    })
    expect([response.status, response.headers.get('content-type')]).toEqual([
      404,
      'text/html; charset=UTF-8',
    ])
  })
})

describe('fake GCP: keys and versions', () => {
  it('are made, listed and found', async () => {
    const fake = create()
    const made = `${location}/keyRings/two`
    expect((await call(fake, 'POST', `${location}/keyRings?keyRingId=two`, {})).json['name']).toBe(
      made,
    )
    expect((await call(fake, 'POST', `${location}/keyRings?keyRingId=two`, {})).error).toBe(
      'ALREADY_EXISTS',
    )
    const path = `${made}/cryptoKeys?cryptoKeyId=k`
    const key = await call(fake, 'POST', path, { purpose: 'ENCRYPT_DECRYPT' })
    expect(key.json).toMatchObject({ purpose: 'ENCRYPT_DECRYPT', primary: { state: 'ENABLED' } })
    expect((await call(fake, 'POST', path, {})).error).toBe('INVALID_ARGUMENT')
    expect((await call(fake, 'GET', `${made}/cryptoKeys`)).json['totalSize']).toBe(1)
    expect(
      (await call(fake, 'GET', `${made}/cryptoKeys/k/cryptoKeyVersions`)).json['totalSize'],
    ).toBe(1)
    expect((await call(fake, 'GET', `${made}/cryptoKeys/none`)).error).toBe('NOT_FOUND')
    expect((await call(fake, 'GET', `${made}/cryptoKeys/k/cryptoKeyVersions/9`)).error).toBe(
      'NOT_FOUND',
    )
  })

  it('are listed by pages, and keep a schedule of rotation', async () => {
    const fake = create()
    await call(fake, 'POST', `${location}/keyRings?keyRingId=two`, {})
    const keys = `${location}/keyRings/two/cryptoKeys`
    const schedule = { nextRotationTime: '2030-01-01T00:00:00.000Z', rotationPeriod: '7776000s' }
    const input = { purpose: 'ENCRYPT_DECRYPT', ...schedule }
    for (const id of ['a', 'b', 'c'])
      expect((await call(fake, 'POST', `${keys}?cryptoKeyId=${id}`, input)).json).toMatchObject(
        schedule,
      )
    const first = (await call(fake, 'GET', `${keys}?pageSize=2`)).json
    expect(first['cryptoKeys']).toHaveLength(2)
    const next = `${keys}?pageSize=2&pageToken=${String(first['nextPageToken'])}`
    const second = (await call(fake, 'GET', next)).json
    expect([second['cryptoKeys'], second['nextPageToken'], second['totalSize']]).toEqual([
      [expect.objectContaining({ name: `${keys.replace(/^\/?/, '')}/c` })],
      undefined,
      3,
    ])
    for (const wrong of [{ rotationPeriod: '7776000s' }, { ...schedule, rotationPeriod: '60s' }]) {
      const half = { purpose: 'ENCRYPT_DECRYPT', ...wrong }
      expect((await call(fake, 'POST', `${keys}?cryptoKeyId=d`, half)).error).toBe(
        'INVALID_ARGUMENT',
      )
    }
  })

  it('are disabled, enabled, destroyed and restored', async () => {
    const fake = create()
    const one = `${a}/cryptoKeyVersions/1`
    const ciphertext = await encrypted(fake, a)
    const patch = (state: string) => call(fake, 'PATCH', `${one}?updateMask=state`, { state })
    expect((await patch('DISABLED')).json['state']).toBe('DISABLED')
    expect(await opened(fake, a, ciphertext)).toBe('FAILED_PRECONDITION')
    expect((await patch('ENABLED')).json['state']).toBe('ENABLED')
    expect(await opened(fake, a, ciphertext)).toBe('secret')
    expect((await patch('DESTROYED')).error).toBe('INVALID_ARGUMENT')
    expect((await call(fake, 'POST', `${one}:destroy`, {})).json['state']).toBe('DESTROY_SCHEDULED')
    expect((await patch('ENABLED')).error).toBe('FAILED_PRECONDITION')
    expect((await call(fake, 'POST', `${one}:restore`, {})).json['state']).toBe('DISABLED')
    await call(fake, 'POST', `${one}:destroy`, {})
    fake.clock.advance(30 * 86_400_000)
    expect((await call(fake, 'GET', one)).json['state']).toBe('DESTROYED')
    expect((await call(fake, 'POST', `${one}:restore`, {})).error).toBe('FAILED_PRECONDITION')
    const update = { cryptoKeyVersionId: '1' }
    expect((await call(fake, 'POST', `${a}:updatePrimaryVersion`, update)).error).toBe(
      'FAILED_PRECONDITION',
    )
  })

  it('random bytes come from HSMs only, 8 to 1,024', async () => {
    const ask = async (where: string, body: object) =>
      (await call(create(), 'POST', `${where}:generateRandomBytes`, body)).status
    expect(await ask(location, { lengthBytes: 32, protectionLevel: 'HSM' })).toBe(200)
    expect(await ask(location, { lengthBytes: 32, protectionLevel: 'SOFTWARE' })).toBe(400)
    expect(await ask(location, { lengthBytes: 7, protectionLevel: 'HSM' })).toBe(400)
    const global = location.replace('europe-west3', 'global')
    expect(await ask(global, { lengthBytes: 32, protectionLevel: 'HSM' })).toBe(400)
  })

  it('enums are numbers where the client asks for it', async () => {
    const { json } = await call(create(), 'GET', `${a}?$alt=json%3Benum-encoding=int`)
    expect(json).toMatchObject({ purpose: 1, primary: { state: 1, protectionLevel: 1 } })
  })
})

describe('fake GCP: who may do what', () => {
  const email = 'reader@acme-prod.iam.gserviceaccount.com'
  const policy = { allow: ['cloudkms.cryptoKeyVersions.useToDecrypt'] }

  it('is asked before anything is said of a key', async () => {
    const fake = createFakeGcp({ serviceAccounts: [{ email, policy }], keys: [{ id: 'a' }] })
    expect((await call(fake, 'POST', `${a}:encrypt`, { plaintext })).error).toBe(
      'PERMISSION_DENIED',
    )
    expect((await call(fake, 'GET', `${ring}/cryptoKeys/none`)).error).toBe('PERMISSION_DENIED')
    expect((await call(fake, 'POST', `${a}:decrypt`, { ciphertext: '' })).error).toBe(
      'INVALID_ARGUMENT',
    )
    expect(fake.calls.map(({ caller }) => caller)).toEqual([email, email, email])
  })

  it('needs a token, and the right one', async () => {
    const fake = create()
    expect((await call(fake, 'GET', a, undefined, 'ya29.a')).error).toBe('UNAUTHENTICATED')
    const response = await fake.network.fetch(`https://cloudkms.googleapis.com/v1/${a}`, {})
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /)
  })
})
