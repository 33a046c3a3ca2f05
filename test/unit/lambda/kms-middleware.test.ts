import { describe, expect, it } from 'vitest'
import {
  type KmsContext,
  kmsMiddleware,
  type MiddyRequest,
} from '../../../adapters/lambda/index.ts'
import { type EnvelopeCipher, KmsError } from '../../../src/index.ts'
import { turn } from '../../support/fake-world.ts'
import { deferred, setup, V2 } from './support.ts'

// middy itself runs it in test/servers/lambda.

interface Stack {
  readonly cipher: EnvelopeCipher
}
type Request = MiddyRequest<KmsContext<Stack>>

const requestOf = (event: unknown, context: object) => {
  const request = { event, context, response: undefined, error: null }
  return request as unknown as Request
}

describe('kmsMiddleware', () => {
  it('puts stack, signal and defer on the context, and awaits deferred work after the handler', async () => {
    const { cipher, context, options } = setup()
    const middleware = kmsMiddleware(options)
    const request = requestOf(V2, context(3_000))
    await middleware.before(request)
    const { kms } = request.context
    expect(kms.cipher).toBe(cipher)
    const work = deferred()
    kms.defer(work.promise)
    let over = false
    const after = middleware.after(request).then(() => (over = true))
    await turn()
    expect(over).toBe(false)
    work.resolve()
    await after
  })

  it('keeps overlapping requests apart', async () => {
    const { world, context, options } = setup()
    const middleware = kmsMiddleware(options)
    const requests = [requestOf(V2, context(1_000)), requestOf(V2, context(9_000))]
    for (const request of requests) await middleware.before(request)
    await world.advance(600)
    expect(requests.map(({ context: { kms } }) => kms.signal.aborted)).toEqual([true, false])
    for (const request of requests) await middleware.after(request)
    expect(world.timers).toBe(0)
  })

  it('answers errors of edge-kms for HTTP, unless there is an answer', async () => {
    const { context, options } = setup()
    const heard: unknown[] = []
    const middleware = kmsMiddleware({ ...options, onError: (error) => heard.push(error) })
    const run = async (event: unknown, error: Error, response?: unknown) => {
      const request = requestOf(event, context(3_000))
      await middleware.before(request)
      Object.assign(request, { error, ...(response !== undefined && { response }) })
      await middleware.onError(request)
      return request.response
    }
    const error = new KmsError('ERR_DECRYPT_FAILED')
    expect(await run(V2, error)).toMatchObject({ statusCode: 422 })
    expect(await run(V2, error, 'mine')).toBe('mine')
    expect(await run({ Records: [] }, error)).toBeUndefined()
    expect(await run(V2, new Error('mine'))).toBeUndefined()
    expect(heard).toEqual([error])
  })

  it('answers 504 when the signal aborted the handler, and an error of create', async () => {
    const { world, context, options } = setup()
    const middleware = kmsMiddleware(options)
    const request = requestOf(V2, context(3_000))
    await middleware.before(request)
    await world.advance(2_500)
    request.error = request.context.kms.signal.reason as Error
    await middleware.onError(request)
    expect(request.response).toMatchObject({ statusCode: 504 })
    const error = new KmsError('ERR_KMS_CONFIG')
    const broken = kmsMiddleware({
      ...options,
      create: (): Promise<Stack> => Promise.reject(error),
    })
    const other = requestOf(V2, context(3_000))
    await expect(broken.before(other)).rejects.toBe(error)
    other.error = error
    await broken.onError(other)
    expect(other.response).toMatchObject({ statusCode: 500 })
    expect(world.timers).toBe(0)
  })

  it('refuses a name on the context that is taken, and wrong options', async () => {
    const { context, options } = setup()
    const taken = requestOf(V2, { ...context(3_000), kms: 'theirs' })
    await expect(kmsMiddleware(options).before(taken)).rejects.toThrow('has kms already')
    const other = requestOf(V2, context(3_000))
    await kmsMiddleware({ ...options, contextKey: 'vault' }).before(other as never)
    expect(other.context).toHaveProperty('vault.cipher')
    expect(() => kmsMiddleware({ ...options, contextKey: '' })).toThrow('contextKey must be a name')
    expect(() => kmsMiddleware({ ...options, onError: 1 } as never)).toThrow('onError')
  })
})
