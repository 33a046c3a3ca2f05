import { describe, expect, it } from 'vitest'
import { isKmsError } from '../../../src/errors.ts'
import {
  allows,
  demandAllowed,
  demandKeyAllowed,
  parsePolicy,
  type PolicyRequest,
} from '../../../src/policy/index.ts'

const POLICY = parsePolicy({
  operations: ['encrypt', 'inspect'],
  keys: ['default', 'logs'],
  context: {
    tenant: { prefix: 'tenant-a/' },
    table: { exact: 'cards' },
    row: { present: true },
  },
})
const CONTEXT = { tenant: 'tenant-a/eu', table: 'cards', row: '42' }
const REQUEST: PolicyRequest = { operation: 'encrypt', key: 'default', context: CONTEXT }

const refused = (rule: string, reason: string): object => ({ allowed: false, rule, reason })

describe('R39 allows', () => {
  it('allows a request that every rule allows', () => {
    expect(allows(POLICY, REQUEST)).toEqual({ allowed: true })
    expect(allows(POLICY, { ...REQUEST, key: 'logs' })).toEqual({ allowed: true })
  })

  it('allows nothing without a policy', () => {
    for (const operation of ['encrypt', 'decrypt', 'rewrap', 'inspect'] as const) {
      expect(allows(undefined, { operation, key: 'default' })).toEqual(
        refused('policy', 'the binding has no policy, so nothing is allowed'),
      )
    }
  })

  it('refuses an operation that is not listed', () => {
    expect(allows(POLICY, { ...REQUEST, operation: 'decrypt' })).toEqual(
      refused('operation', 'the policy does not allow decrypt: see `operations`'),
    )
  })

  it('refuses an operation that does not exist, and does not repeat it', () => {
    const operation = 'canary-operation' as 'encrypt'
    expect(allows(POLICY, { ...REQUEST, operation })).toEqual(
      refused('operation', 'the policy does not allow this unknown operation: see `operations`'),
    )
  })

  it.each(['pii', 'Default', 'default ', '', '__proto__', 'constructor'])(
    'refuses the key %j',
    (key) => {
      expect(allows(POLICY, { ...REQUEST, key })).toEqual(
        refused('key', 'the policy does not allow the key that the call names: see `keys`'),
      )
    },
  )

  it.each(['tenant', 'table', 'row'])('refuses a context without %s', (key) => {
    const { [key as 'row']: _, ...context } = CONTEXT
    expect(allows(POLICY, { ...REQUEST, context })).toEqual(
      refused('context', `the policy requires the context key "${key}"`),
    )
  })

  it('refuses a call without a context', () => {
    expect(allows(POLICY, { operation: 'encrypt', key: 'default' })).toMatchObject({
      allowed: false,
      rule: 'context',
    })
  })

  it.each(['zone', '__proto__', 'constructor'])(
    'refuses the context key %s, which the policy does not mention',
    (key) => {
      const context = Object.fromEntries([...Object.entries(CONTEXT), [key, 'x']])
      expect(allows(POLICY, { ...REQUEST, context })).toEqual(
        refused('context', `the policy does not mention the context key "${key}"`),
      )
    },
  )

  it('does not take an inherited context value for one of the call', () => {
    const context = Object.create({ row: '42' }, {}) as Record<string, string>
    expect(allows(POLICY, { ...REQUEST, context })).toMatchObject({
      allowed: false,
      rule: 'context',
    })
  })

  it.each([
    ['tenant', 'tenant-ab/eu'],
    ['tenant', 'tenant-a'],
    ['tenant', 'Tenant-a/eu'],
    ['tenant', '/tenant-a/eu'],
    ['tenant', ''],
    ['table', 'cards2'],
    ['table', ''],
    ['row', 42],
    ['row', undefined],
  ])('refuses the context value %s: %j, without showing it', (key, value) => {
    expect(allows(POLICY, { ...REQUEST, context: { ...CONTEXT, [key]: value } })).toEqual(
      refused('context', `the policy does not allow this value of the context key "${key}"`),
    )
  })

  it.each([
    ['a Map', new Map()],
    ['Headers', new Headers()],
    ['an instance', new Date(0)],
  ])('refuses %s as context also where the policy wants none', (_, given) => {
    const context = given as unknown as Record<string, string>
    const bare = parsePolicy({ operations: ['encrypt'], keys: ['default'], context: {} })
    expect(allows(bare, { ...REQUEST, context })).toEqual(
      refused('context', 'the context must be a plain object'),
    )
    expect(allows(bare, { ...REQUEST, context: {} })).toEqual({ allowed: true })
    expect(allows(bare, REQUEST)).toMatchObject({ allowed: false, rule: 'context' })
  })

  it('checks operation and key of inspect, which has no context', () => {
    expect(allows(POLICY, { operation: 'inspect', key: 'default' })).toEqual({ allowed: true })
    expect(allows(POLICY, { operation: 'inspect', key: 'pii' })).toMatchObject({ rule: 'key' })
  })
})

describe('demandAllowed', () => {
  it('throws one error that names the rule', () => {
    demandAllowed(POLICY, REQUEST)
    try {
      demandAllowed(POLICY, { ...REQUEST, operation: 'rewrap' })
      expect.unreachable()
    } catch (error) {
      if (!isKmsError(error, 'ERR_KMS_ACCESS_DENIED')) throw error
      expect(error.toJSON()).toEqual({
        name: 'KmsError',
        code: 'ERR_KMS_ACCESS_DENIED',
        message: 'the policy does not allow rewrap: see `operations`',
        retryable: false,
        provider: 'policy',
        operation: 'rewrap',
      })
    }
  })
})

describe('demandKeyAllowed', () => {
  it('checks the operation and the key, not the context', () => {
    demandKeyAllowed(POLICY, { operation: 'encrypt', key: 'default' })
    for (const [policy, request] of [
      [undefined, { operation: 'encrypt', key: 'default' }],
      [POLICY, { operation: 'decrypt', key: 'default' }],
      [POLICY, { operation: 'encrypt', key: 'pii' }],
    ] as const) {
      expect(() => {
        demandKeyAllowed(policy, request)
      }).toThrow(expect.objectContaining({ code: 'ERR_KMS_ACCESS_DENIED' }))
    }
  })
})
