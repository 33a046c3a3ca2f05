import { describe, expect, it } from 'vitest'
import { createGateway, type GatewayOptions } from '../../../adapters/gateway/index.ts'
import { CachedKms, EnvelopeCipher, isKmsError } from '../../../src/index.ts'
import { CountedKms, ORIGIN, setUp } from './fixture.ts'

function messageOf(options: unknown): string {
  try {
    createGateway(options as GatewayOptions)
  } catch (error) {
    if (isKmsError(error, 'ERR_KMS_CONFIG')) return error.message
    throw error
  }
  return 'accepted'
}

const kms = new CountedKms()
const cipher = new EnvelopeCipher({ keys: new CachedKms({ kms }) })
const withOption = (option: object): string => messageOf({ cipher, kms, ...option })

describe('options', () => {
  it.each([
    'api.example.com',
    'localhost',
    '*',
    '',
    ['*'],
    ['*.example.com'],
    ['api.example.com:8787'],
    ['[::1]:80'],
    ['http://api.example.com'],
    ['API.example.com'],
    ['api.example.com/'],
    ['a b'],
    [''],
    [5],
    [undefined],
    { 0: 'api.example.com' },
    5,
    null,
    true,
  ])('refuses hosts that are not exact names: %j', (hosts) => {
    const expected = 'hosts must be "any" or an array of exact host names'
    expect(withOption({ hosts })).toContain(expected)
  })

  it.each([[], ['api.example.com', 'kms', '10.0.0.7', '[fd00::1]'], 'any', undefined])(
    'takes the hosts %j',
    (hosts) => {
      expect(withOption({ hosts })).toBe('accepted')
    },
  )

  it('answers to a listed name and not to a part of it', async () => {
    const { app } = setUp(undefined, { hosts: ['api.example.com'] })
    for (const [name, status] of [
      ['api.example.com', 200],
      ['com', 421],
      ['e', 421],
      ['example.com', 421],
      ['x.api.example.com', 421],
      ['api.example.com.evil.test', 421],
    ] as const) {
      const answer = await app.request(`${ORIGIN}/healthz`, { headers: { host: name } })
      expect([name, answer.status]).toEqual([name, status])
    }
  })

  it.each([
    [{ host: ['a.test'] }, 'unknown option: host: did you mean hosts?'],
    [{ kind: ['stream'] }, 'unknown option: kind: did you mean kinds?'],
    [{ cachestats: () => undefined }, 'unknown option: cachestats: did you mean cacheStats?'],
    [{ auth: 'token' }, 'unknown option: auth'],
  ])('refuses the unknown option in %j', (option, message) => {
    expect(withOption(option)).toBe(message)
  })

  it.each([
    [['streams'], 'kinds.0 must be one of stream, record'],
    [['stream', 'Record'], 'kinds.1 must be one of stream, record'],
    [['data-key-record'], 'kinds.0 must be'],
    [[], 'kinds must be an array of at least 1 item, got an array'],
    ['stream', 'kinds must be'],
  ])('refuses the kinds %j', (kinds, message) => {
    expect(withOption({ kinds })).toContain(message)
  })

  it.each([
    ['cipher', undefined, 'cipher is missing'],
    ['cipher', kms, 'cipher must be an EnvelopeCipher, got an instance of a class'],
    ['kms', undefined, 'kms is missing'],
    ['kms', cipher, 'kms must be a KeyManagementService, got an instance of a class'],
    ['cacheStats', {}, 'cacheStats must be a function, got an object'],
    ['metrics', () => '', 'metrics must be an object with snapshot(), got a function'],
    ['holdBytes', -1, 'holdBytes must be'],
    ['holdBytes', 67_108_865, 'holdBytes must be at most 67108864'],
    ['readyTimeoutMs', 0, 'readyTimeoutMs must be'],
    ['readyTimeoutMs', 60_001, 'readyTimeoutMs must be'],
    ['readyTimeoutMs', '5000', 'readyTimeoutMs must be'],
  ])('refuses another %s: %#', (name, value, message) => {
    expect(withOption({ [name]: value })).toContain(message)
  })

  it.each([undefined, null, 5, []])('refuses %j for the options', (options) => {
    expect(messageOf(options)).not.toBe('accepted')
  })
})
