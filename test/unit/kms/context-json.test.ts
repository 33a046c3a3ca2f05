import { describe, expect, it } from 'vitest'
import { isKmsError, parseContextJson } from '../../../src/index.ts'

function refused(text: string): boolean {
  try {
    parseContextJson(text)
    return false
  } catch (error) {
    return isKmsError(error, 'ERR_CONTEXT_INVALID')
  }
}

describe('a context from JSON', () => {
  it.each([
    ['{}', {}],
    [' \t\r\n{ \n } \n', {}],
    ['{"tenant":"acme"}', { tenant: 'acme' }],
    [' { "a" : "1" , "b" : "2" } ', { a: '1', b: '2' }],
    ['{"":""}', { '': '' }],
    ['{"a\\u0062\\n\\/\\"\\\\":"\\ud83d\\ude00"}', { 'ab\n/"\\': '😀' }],
    ['{"ключ":"значение"}', { ключ: 'значение' }],
    ['{"a":"}","{":","}', { a: '}', '{': ',' }],
    ['{"A":"1","a":"2"}', { A: '1', a: '2' }],
  ])('is read: %j', (text, expected) => {
    expect({ ...parseContextJson(text) }).toEqual(expected)
  })

  it('has no prototype, is frozen, and takes names of the prototype for plain keys (W1.12)', () => {
    const map = parseContextJson('{"__proto__":"x","constructor":"y","toString":"z"}')
    expect(Object.getPrototypeOf(map)).toBeNull()
    expect(Object.isFrozen(map)).toBe(true)
    expect(Object.entries(map)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['toString', 'z'],
    ])
  })

  it.each([
    '{"a":"1","a":"2"}',
    '{"a":"1","a":"1"}',
    '{"a":"1","\\u0061":"2"}',
    '{"__proto__":"1","__proto__":"2"}',
    '{"a":"1","b":"2","a":"3"}',
  ])('is refused where a key stands twice (W1.11): %j', (text) => {
    expect(refused(text)).toBe(true)
  })

  it.each(['1', 'null', 'true', '{}', '[]', '["x"]', '1e3', '{"b":"c"}', ''])(
    'is refused where a value is not a string: %j',
    (value) => {
      expect(refused(`{"a":${value}}`)).toBe(true)
    },
  )

  it.each([
    '',
    ' ',
    'null',
    '[]',
    '"a"',
    '{',
    '}',
    '{}{}',
    '{} x',
    '{,}',
    '{"a":"1",}',
    '{"a":"1"',
    '{"a":"1}',
    '{"a" "1"}',
    '{"a":"1" "b":"2"}',
    '{"a"}',
    '{a:"1"}',
    "{'a':'1'}",
    '{"a":"\\x41"}',
    '{"a":"\\u004"}',
    '{"a":"\n"}',
    '{"a":"\u0000"}',
    '{"a":"1"}/* */',
    '\ufeff{}',
    '\u00a0{}',
    '{"a":"1"}\u2028',
  ])('is refused where it is not JSON or no object: %j', (text) => {
    expect(refused(text)).toBe(true)
  })
})
