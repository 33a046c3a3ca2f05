import { afterEach, describe, expect, it, vi } from 'vitest'
import { denoEnv } from '../../../adapters/deno/index.ts'
import { EnvKeyProvider } from '../../../src/providers/local/index.ts'
import { stubDeno } from './support.ts'

const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('denoEnv', () => {
  it('reads a variable when it is used, by its name alone', () => {
    const { read } = stubDeno({ ONE: '1', TWO: '2' })
    const env = denoEnv()
    expect(read).toEqual([])
    expect(env['ONE']).toBe('1')
    expect('TWO' in env).toBe(true)
    expect(Object.keys(env)).toEqual([])
    expect(read).toEqual(['ONE', 'TWO'])
  })

  it('names the flag of a variable that may not be read, and does not make Deno prompt', () => {
    const { read } = stubDeno({ SECRET: 's' }, [])
    expect(() => denoEnv()['SECRET']).toThrow(
      expect.objectContaining({
        code: 'ERR_KMS_CONFIG',
        message: 'Deno may not read SECRET: start it with --allow-env=SECRET',
      }),
    )
    expect(read).toEqual([])
  })

  it('names it too where Deno cannot be asked before', () => {
    stubDeno({ SECRET: 's' }, [], { permissions: undefined })
    expect(() => denoEnv()['SECRET']).toThrow('--allow-env=SECRET')
    stubDeno({}, [], {
      env: {
        get: () => {
          throw new TypeError('another one')
        },
      },
      permissions: undefined,
    })
    expect(() => denoEnv()['SECRET']).toThrow(new TypeError('another one'))
  })

  it('takes what JavaScript itself asks an object for as no variable', async () => {
    const { read } = stubDeno({}, [])
    const env = denoEnv()
    expect(await Promise.resolve(env)).toBe(env)
    expect(JSON.stringify({ env })).toBe('{"env":{}}')
    expect(Reflect.get(env, Symbol.toPrimitive)).toBeUndefined()
    expect(read).toEqual([])
  })

  it('cannot be written', () => {
    stubDeno({ ONE: '1' })
    const env = denoEnv() as Record<string, string>
    expect(() => {
      env['ONE'] = '2'
    }).toThrow(TypeError)
    expect(() => Object.defineProperty(env, 'TWO', { value: '2' })).toThrow(TypeError)
    expect(Reflect.deleteProperty(env, 'ONE')).toBe(false)
    expect(env['ONE']).toBe('1')
  })

  it('is refused on another runtime', () => {
    vi.stubGlobal('Deno', undefined)
    expect(() => denoEnv()).toThrow('edge-kms/deno runs on Deno only')
  })

  it('is an environment for EnvKeyProvider, which names the flag of a key that may not be read', () => {
    stubDeno({ EDGE_KMS_KEY_V3: KEY }, ['EDGE_KMS_KEY_V3'])
    expect(new EnvKeyProvider(denoEnv()).providerName).toBe('local')
    stubDeno({ EDGE_KMS_KEY_V1: KEY }, [])
    expect(() => new EnvKeyProvider(denoEnv())).toThrow('--allow-env=EDGE_KMS_KEY_V1')
  })
})
