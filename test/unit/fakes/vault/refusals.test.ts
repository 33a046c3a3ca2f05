import { describe, expect, it } from 'vitest'
import { createFakeVault, type FakeVault } from '../../../../adapters/fakes/index.ts'

async function ask(fake: FakeVault, method: string, path: string, input?: object) {
  const answer = await fake.fetch(
    new Request(`${fake.endpoint}/v1/transit/${path}`, {
      method,
      headers: { 'X-Vault-Token': fake.token },
      ...(input !== undefined && { body: JSON.stringify(input) }),
    }),
  )
  return { status: answer.status, text: await answer.text() }
}

async function dataOf(fake: FakeVault, path: string): Promise<object> {
  const { text } = await ask(fake, 'GET', path)
  return (JSON.parse(text) as { data: object }).data
}

describe('fake of Vault: keys', () => {
  it.each([
    [{ type: 'aes512' }, 'unknown key type aes512'],
    [{ convergent_encryption: true }, 'convergent encryption requires derivation to be enabled'],
  ])('refuses %j and makes nothing', async (input, message) => {
    const fake = createFakeVault()
    const { status, text } = await ask(fake, 'POST', 'keys/new', input)
    expect([status, JSON.parse(text)]).toEqual([400, { errors: [message] }])
    expect((await ask(fake, 'GET', 'keys/new')).status).toBe(404)
  })

  it.each([
    [{ min_decryption_version: -1 }, 'min decryption version cannot be negative'],
    [{ min_encryption_version: '-1' }, 'min encryption version cannot be negative'],
    [
      { min_encryption_version: 3 },
      'cannot set min encryption version of 3, latest key version is 2',
    ],
    [
      { min_decryption_version: '2', min_encryption_version: 1 },
      'cannot set min encryption/decryption values; min encryption version of 1 must be greater than or equal to min decryption version of 2',
    ],
    [{ auto_rotate_period: '1m' }, 'auto rotate period must be 0 to disable or at least an hour'],
    [
      { min_decryption_version: 'two' },
      'Field validation failed: error converting input for field "min_decryption_version"',
    ],
  ])('refuses the configuration %j and changes nothing', async (input, message) => {
    const fake = createFakeVault({ keys: [{ name: 'app' }] })
    await ask(fake, 'POST', 'keys/app/rotate')
    const before = await dataOf(fake, 'keys/app')
    const { status, text } = await ask(fake, 'POST', 'keys/app/config', input)
    expect([status, JSON.parse(text)]).toEqual([400, { errors: [message] }])
    expect(await dataOf(fake, 'keys/app')).toEqual(before)
  })

  it('takes numbers as texts, periods, and a key that may be exported', async () => {
    const fake = createFakeVault()
    const made = { auto_rotate_period: '1h30m', exportable: true }
    expect((await ask(fake, 'POST', 'keys/app', made)).status).toBe(200)
    await ask(fake, 'POST', 'keys/app/rotate')
    const config = { min_decryption_version: '2', auto_rotate_period: '30d', exportable: false }
    expect((await ask(fake, 'POST', 'keys/app/config', config)).status).toBe(200)
    expect(await dataOf(fake, 'keys/app')).toMatchObject({
      min_decryption_version: 2,
      auto_rotate_period: 2_592_000,
      exportable: true,
    })
    const short = await ask(fake, 'POST', 'keys/new', { auto_rotate_period: 60 })
    expect(short.status).toBe(400)
    expect((await ask(fake, 'GET', 'keys/new')).status).toBe(404)
    expect((await ask(fake, 'POST', 'datakey/plaintext/app', { bits: '512' })).status).toBe(200)
  })

  it('rewraps to the version that is asked for, and to none that is below the minimum', async () => {
    const fake = createFakeVault({ keys: [{ name: 'app' }] })
    const plaintext = Buffer.from('secret').toString('base64')
    const sealed = await ask(fake, 'POST', 'encrypt/app', { plaintext })
    const { data } = JSON.parse(sealed.text) as { data: { ciphertext: string } }
    const { ciphertext } = data
    await ask(fake, 'POST', 'keys/app/rotate')
    await ask(fake, 'POST', 'keys/app/rotate')
    for (const [key_version, version] of [
      ['2', 2],
      [1, 1],
      [0, 3],
      [undefined, 3],
    ] as const) {
      const answer = await ask(fake, 'POST', 'rewrap/app', { ciphertext, key_version })
      const { data: next } = JSON.parse(answer.text) as { data: object }
      expect(next).toMatchObject({ key_version: version })
    }
    await ask(fake, 'POST', 'keys/app/config', { min_encryption_version: 3 })
    const below = await ask(fake, 'POST', 'rewrap/app', { ciphertext, key_version: 2 })
    expect(below.text).toContain('less than the minimum encryption key version')
  })

  it('lists by LIST and by GET with list=true, and not by a plain GET', async () => {
    const fake = createFakeVault({ keys: [{ name: 'b' }, { name: 'a' }] })
    for (const [method, path] of [
      ['LIST', 'keys'],
      ['GET', 'keys?list=true'],
    ] as const) {
      const { status, text } = await ask(fake, method, path)
      expect([status, JSON.parse(text)]).toMatchObject([200, { data: { keys: ['a', 'b'] } }])
    }
    expect((await ask(fake, 'GET', 'keys')).status).toBe(405)
  })

  it('answers 204 without a body to a delete that is allowed', async () => {
    const fake = createFakeVault({ keys: [{ name: 'app' }] })
    expect((await ask(fake, 'DELETE', 'keys/app')).status).toBe(400)
    await ask(fake, 'POST', 'keys/app/config', { deletion_allowed: true })
    expect(await ask(fake, 'DELETE', 'keys/app')).toEqual({ status: 204, text: '' })
    expect((await ask(fake, 'GET', 'keys/app')).status).toBe(404)
  })
})
