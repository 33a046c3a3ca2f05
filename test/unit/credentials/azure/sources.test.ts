import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  type AzureCredentialsOption,
  type AzureToken,
  toTokenSource,
} from '../../../../src/credentials/azure/index.ts'
import { codeOf, testPorts, turn } from '../aws/ports.ts'

const HOUR_MS = 3_600_000
const vault = 'https://vault.azure.net'
const hsm = 'https://managedhsm.azure.net'

function setUp(lifeMs: number | undefined = HOUR_MS) {
  const ports = testPorts()
  const asked: string[] = []
  const source = toTokenSource(({ resource }) => {
    asked.push(resource)
    const expiresAtMs = ports.runtime.now() + lifeMs
    return Promise.resolve({ token: `token-${String(asked.length)}`, expiresAtMs })
  }, ports)
  const token = async (resource: string) => (await source.get({ resource })).token
  return { ports, asked, source, token }
}

describe('R22 tokens that refresh', () => {
  it('one for each resource, held and renewed on its own', async () => {
    const { ports, asked, token } = setUp()
    expect([await token(vault), await token(hsm), await token(vault)]).toEqual([
      'token-1',
      'token-2',
      'token-1',
    ])
    ports.advance(HOUR_MS - 300_000)
    expect([await token(vault), await token(vault)]).toEqual(['token-3', 'token-3'])
    expect(asked).toEqual([vault, hsm, vault])
  })

  it('one that was refused is not given again, and no other is touched', async () => {
    const { source, token } = setUp()
    const held = await source.get({ resource: vault })
    await token(hsm)
    source.refused(held)
    expect([await token(vault), await token(hsm)]).toEqual(['token-3', 'token-2'])
    source.refused(held)
    expect(await token(vault)).toBe('token-3')
  })

  it('R16 a thousand waiters cost one', async () => {
    const { asked, token } = setUp()
    const waiting = Array.from({ length: 1_000 }, () => token(vault))
    await turn()
    expect([new Set(await Promise.all(waiting)).size, asked.length]).toEqual([1, 1])
  })

  it('nothing is asked before the first use', () => {
    expect(setUp().asked).toEqual([])
  })
})

describe('tokens of a function', () => {
  it.each<unknown>([
    {},
    { token: '' },
    { token: 'canary\r\nx: 1' },
    { token: 7 },
    { token: 'canary', expiresAtMs: NaN },
    { token: 'canary', expiresAtMs: Infinity },
  ])('R12 %o is refused without its value', async (given) => {
    const source = toTokenSource(() => Promise.resolve(given as AzureToken), testPorts())
    const caught: unknown = await source.get({ resource: vault }).catch((error: unknown) => error)
    expect(caught).toMatchObject({ code: 'ERR_KMS_UNAUTHENTICATED' })
    expect(inspect(caught)).not.toContain('canary')
  })

  it('its failure is an outage, without the words of the error', async () => {
    const source = toTokenSource(() => Promise.reject(new Error('broker is down')), testPorts())
    const failed = source.get({ resource: vault })
    expect(await codeOf(failed)).toBe('ERR_KMS_UNAVAILABLE')
    await expect(failed).rejects.not.toThrow('broker')
  })

  it.each<unknown>([undefined, null, 'token', { token: 'token' }, { get: 'token' }])(
    '%o is not a source',
    async (option) => {
      const make = () => toTokenSource(option as AzureCredentialsOption, testPorts())
      expect(await codeOf(make)).toBe('ERR_KMS_CONFIG')
    },
  )
})
