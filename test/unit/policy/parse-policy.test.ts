import { describe, expect, it } from 'vitest'
import { isKmsError } from '../../../src/errors.ts'
import { parsePolicy } from '../../../src/policy/index.ts'

const VALID = { operations: ['encrypt'], keys: ['default'], context: {} }

function refusal(value: unknown): string {
  try {
    parsePolicy(value)
  } catch (error) {
    if (isKmsError(error, 'ERR_KMS_CONFIG')) return error.message
    throw error
  }
  return 'accepted'
}

describe('R39 parsePolicy fails closed', () => {
  it('refuses a hole in a list, which would allow a call without an operation', () => {
    const operations = new Array<string>(2)
    operations[1] = 'encrypt'
    expect(() => parsePolicy({ operations, keys: ['default'], context: {} })).toThrow(
      'policy.operations[0] must be encrypt or decrypt or rewrap or inspect, got undefined',
    )
  })

  it.each([
    ['no policy at all', undefined, 'policy must be a plain object, got undefined'],
    ['a text', 'encrypt', 'policy must be a plain object, got a string'],
    [
      'a class of its own',
      new Date(0),
      'policy must be a plain object, got an instance of a class',
    ],
    [
      'a Map',
      new Map(Object.entries(VALID)),
      'policy must be a plain object, got an instance of a class',
    ],
    ['an unknown field', { ...VALID, operation: [] }, 'unknown option: policy.operation'],
    [
      'an unknown field that is undefined',
      { ...VALID, key: undefined },
      'unknown option: policy.key',
    ],
    [
      'no operations',
      { ...VALID, operations: undefined },
      'policy.operations must be an array of strings, got undefined',
    ],
    [
      'an empty list of operations',
      { ...VALID, operations: [] },
      'policy.operations must name at least one: it would allow nothing',
    ],
    [
      'an unknown operation',
      { ...VALID, operations: ['encrypt', '*'] },
      'policy.operations[1] must be encrypt or decrypt or rewrap or inspect, got a string',
    ],
    [
      'operations as one text',
      { ...VALID, operations: 'encrypt' },
      'policy.operations must be an array of strings, got a string',
    ],
    [
      'no keys',
      { ...VALID, keys: undefined },
      'policy.keys must be an array of strings, got undefined',
    ],
    [
      'an empty list of keys',
      { ...VALID, keys: [] },
      'policy.keys must name at least one: it would allow nothing',
    ],
    [
      'an empty name of a key',
      { ...VALID, keys: [''] },
      'policy.keys[0] must be the name of a cipher, got an empty string',
    ],
    [
      'no context',
      { ...VALID, context: undefined },
      'policy.context must be an object with a pattern for each context key, got undefined',
    ],
    [
      'a list as context',
      { ...VALID, context: [] },
      'policy.context must be an object with a pattern for each context key, got an array',
    ],
    [
      'an empty context key',
      { ...VALID, context: { '': { present: true } } },
      'policy.context must have no empty context key',
    ],
  ])('refuses %s', (_, value, message) => {
    expect(refusal(value)).toBe(message)
  })

  const SHAPE =
    'policy.context.tenant must be { exact: "…" }, { prefix: "…/" } or { present: true }'
  it.each([
    ['a plain text', 'acme', SHAPE],
    ['null', null, SHAPE],
    ['an empty pattern', {}, SHAPE],
    ['two kinds at once', { exact: 'acme', present: true }, SHAPE],
    ['an unknown kind', { suffix: '/a' }, SHAPE],
    [
      'present that is not true',
      { present: false },
      'policy.context.tenant.present must be true, got false',
    ],
    ['a number', { exact: 5 }, 'policy.context.tenant.exact must be a string, got a number'],
  ])('refuses a context pattern that is %s', (_, pattern, message) => {
    expect(refusal({ ...VALID, context: { tenant: pattern } })).toBe(message)
  })

  it.each(['', 'tenant-a', 'tenant-a/b', 'tenant-a*', 'tenant-a/ '])(
    'refuses the prefix %j, which ends in no delimiter',
    (prefix) => {
      expect(refusal({ ...VALID, context: { tenant: { prefix } } })).toBe(
        'policy.context.tenant.prefix must end in a delimiter (one of / : . - _ # |): it would match longer names',
      )
    },
  )

  it.each([...'/:.-_#|'])('accepts a prefix that ends in %s', (delimiter) => {
    const context = { tenant: { prefix: `a${delimiter}` } }
    expect(refusal({ ...VALID, context })).toBe('accepted')
  })

  it('shows no value of a pattern in an error', () => {
    expect(refusal({ ...VALID, context: { tenant: { prefix: 'secret-name' } } })).not.toContain(
      'secret',
    )
  })

  it('keeps what it read: a later change of the configuration changes nothing', () => {
    const config = { operations: ['encrypt'], keys: ['default'], context: { a: { exact: 'b' } } }
    const policy = parsePolicy(config)
    config.operations.push('decrypt')
    config.keys.push('pii')
    config.context.a.exact = 'c'
    expect(policy.operations).toEqual(new Set(['encrypt']))
    expect(policy.keys).toEqual(new Set(['default']))
    expect(policy.context.get('a')).toEqual({ exact: 'b' })
  })
})
