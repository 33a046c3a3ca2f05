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

  it('answers 204 without a body to a delete that is allowed', async () => {
    const fake = createFakeVault({ keys: [{ name: 'app' }] })
    expect((await ask(fake, 'DELETE', 'keys/app')).status).toBe(400)
    await ask(fake, 'POST', 'keys/app/config', { deletion_allowed: true })
    expect(await ask(fake, 'DELETE', 'keys/app')).toEqual({ status: 204, text: '' })
    expect((await ask(fake, 'GET', 'keys/app')).status).toBe(404)
  })
})
