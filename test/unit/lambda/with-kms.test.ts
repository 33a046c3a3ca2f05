import { describe, expect, it } from 'vitest'
import { withKms } from '../../../adapters/lambda/index.ts'
import { problemOf } from '../../../adapters/gateway/index.ts'
import { EnvelopeCipher, KMS_ERROR_CODES, KmsError } from '../../../src/index.ts'
import { turn } from '../../support/fake-world.ts'
import { fail, hang, ScriptedKms } from '../../support/scripted-kms.ts'
import { deferred, setup, V1, V2 } from './support.ts'

/** Whether a promise has settled. */
async function isOver(work: Promise<unknown>): Promise<boolean> {
  let over = false
  void work.then(
    () => (over = true),
    () => (over = true),
  )
  await turn()
  return over
}

/** A handler whose stack counts how often it was made. */
function counted() {
  const { context, cipher, world } = setup()
  let made = 0
  const create = () => {
    made += 1
    return { cipher, table: 'orders' }
  }
  const work = (_event: unknown, _context: unknown, kms: { readonly table: string }) => kms.table
  return { context, handler: withKms(work, { create, network: world }), made: () => made }
}

describe('withKms: the stack', () => {
  it('is made once for all invocations, at the first one', async () => {
    const { context, handler, made } = counted()
    expect(made()).toBe(0)
    const calls = [handler({}, context(3_000)), handler({}, context(3_000))]
    expect(await Promise.all(calls)).toEqual(['orders', 'orders'])
    await handler({}, context(3_000))
    expect(made()).toBe(1)
  })

  it('is kept when an invocation has no time left', async () => {
    const { context, handler, made } = counted()
    await handler({}, context(3_000))
    await expect(handler({}, context(1))).rejects.toMatchObject({ code: 'ERR_KMS_TIMEOUT' })
    await handler({}, context(3_000))
    expect(made()).toBe(1)
  })

  it('is made in the init phase with init, and a failure there ends no process', async () => {
    const { context, cipher, world } = setup()
    let made = 0
    const create = async () => {
      made += 1
      if (made === 1) throw new KmsError('ERR_KMS_CONFIG')
      return { cipher }
    }
    const handler = withKms(() => 'done', { create, init: true, network: world })
    expect(made).toBe(1)
    await turn()
    await expect(handler({}, context(3_000))).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect(await handler({}, context(3_000))).toBe('done')
    expect(made).toBe(2)
  })

  it('that never comes does not hold the next invocation', async () => {
    const { context, cipher, world } = setup()
    let made = 0
    const create = () => {
      made += 1
      return made === 1 ? new Promise<never>(() => undefined) : { cipher }
    }
    const handler = withKms(() => 'done', { create, network: world })
    const first = await world.settled(handler({}, context(3_000)))
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'ERR_KMS_TIMEOUT' } })
    expect(await handler({}, context(3_000))).toBe('done')
  })

  it('without a cipher, wrong options and no Lambda context are refused', async () => {
    const { context, options, world } = setup()
    const make = (changed: object) => () => withKms(() => 1, { ...options, ...changed })
    expect(make({ marginMs: -1 })).toThrow('marginMs must be an integer from 0 to 60000, got -1')
    expect(make({ marginMs: 60_001 })).toThrow('marginMs')
    expect(make({ create: 'x' })).toThrow('create must be a function, got a string')
    expect(make({ init: 'yes' })).toThrow('init must be true or false')
    expect(make({ onError: 1 })).toThrow('onError must be a function')
    expect(make({ margin: 1 })).toThrow('unknown option: margin')
    expect(() => withKms('x' as never, options)).toThrow('handler must be a function')
    const bare = withKms(() => 1, { create: () => ({}) as never, network: world })
    await expect(bare({}, context(3_000))).rejects.toThrow('{ cipher }')
    const handler = withKms(() => 1, options)
    await expect(handler({}, {} as never)).rejects.toThrow('getRemainingTimeInMillis')
    await expect(handler({}, { getRemainingTimeInMillis: () => NaN })).rejects.toThrow('context')
  })
})

describe('withKms: the time', () => {
  it('aborts the signal marginMs before the end, and not a millisecond earlier', async () => {
    const { world, context, options } = setup()
    let signal: AbortSignal | undefined
    const handler = withKms(
      (_event: unknown, _context, kms) => {
        signal = kms.signal
        return new Promise((_, reject) => {
          kms.signal.addEventListener('abort', () => reject(kms.signal.reason as Error))
        })
      },
      { ...options, marginMs: 200 },
    )
    const call = handler({}, context(3_000))
    call.catch(() => undefined)
    await world.advance(2_799)
    expect(signal?.aborted).toBe(false)
    await world.advance(1)
    expect(signal?.reason).toMatchObject({ name: 'TimeoutError' })
    await expect(call).rejects.toMatchObject({ code: 'ERR_KMS_TIMEOUT' })
    expect(world.timers).toBe(0)
  })

  it('aborts at once when less than the margin is left', async () => {
    const { context, options } = setup()
    const handler = withKms((_e: unknown, _c, { signal }) => signal.aborted, options)
    await expect(handler({}, context(499))).rejects.toMatchObject({ code: 'ERR_KMS_TIMEOUT' })
    expect(await handler({}, context(501))).toBe(false)
  })

  it('gives overlapping invocations signals and deferred work of their own', async () => {
    const { world, context, options } = setup()
    const gates = [deferred(), deferred()]
    const works = [deferred(), deferred()]
    const signals: AbortSignal[] = []
    const handler = withKms(async (at: number, _context, { signal, defer }) => {
      signals[at] = signal
      await gates[at]!.promise
      defer(works[at]!.promise)
      return at
    }, options)
    const first = handler(0, context(1_000))
    const second = handler(1, context(9_000))
    await turn()
    gates[0]!.resolve()
    gates[1]!.resolve()
    works[1]!.resolve()
    expect(await second).toBe(1) // the first one's work does not hold it
    expect(await isOver(first)).toBe(false)
    await world.advance(500)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    expect(await first).toBe(0)
  })

  it('leaves no timer behind', async () => {
    const { world, context, options } = setup()
    await withKms(() => 1, options)({}, context(3_000))
    await withKms(() => Promise.reject(new Error('x')), options)({}, context(3_000)).catch(() => 0)
    expect(world.timers).toBe(0)
  })
})

describe('withKms: deferred work', () => {
  it('is awaited before the answer, also what deferred work defers', async () => {
    const { context, options } = setup()
    const [outer, inner] = [deferred(), deferred()]
    const handler = withKms((_event: unknown, _context, { defer }) => {
      defer(outer.promise.then(() => defer(inner.promise)))
      return 'answer'
    }, options)
    const call = handler({}, context(3_000))
    expect(await isOver(call)).toBe(false)
    outer.resolve()
    expect(await isOver(call)).toBe(false)
    inner.resolve()
    expect(await call).toBe('answer')
  })

  it('that hangs is given up when the signal aborts; one that rejects changes nothing', async () => {
    const { world, context, options } = setup()
    const handler = withKms((_event: unknown, _context, { defer }) => {
      defer(Promise.reject(new Error('late')))
      defer(new Promise(() => undefined))
      return 'answer'
    }, options)
    const call = handler({}, context(3_000))
    await world.advance(2_499)
    expect(await isOver(call)).toBe(false)
    await world.advance(1)
    expect(await call).toBe('answer')
  })

  it('is awaited after a failure, too', async () => {
    const { context, options } = setup()
    const work = deferred()
    const handler = withKms((_event: unknown, _context, { defer }) => {
      defer(work.promise)
      throw new Error('mine')
    }, options)
    const call = handler({}, context(3_000))
    expect(await isOver(call)).toBe(false)
    work.resolve()
    await expect(call).rejects.toThrow('mine')
  })

  it('of the cipher, a renewal, has ended when the function answers', async () => {
    const { context, world } = setup()
    const kms = new ScriptedKms()
    const ports = { runtime: world, network: world }
    const cipher = new EnvelopeCipher({ kms, ...ports, cache: { ttlMs: 10_000 } })
    const handler = withKms(
      (text: string, _context, { cipher, signal, defer }) =>
        cipher.encryptText(text, { signal, defer }),
      { create: () => ({ cipher }), network: world },
    )
    await world.settled(handler('a', context(3_000)))
    world.nowMs += 9_999 // within the last fifth of the time to live
    const renewal = deferred()
    kms.always = () => renewal.promise
    const call = handler('b', context(3_000))
    expect(await isOver(call)).toBe(false)
    renewal.resolve()
    expect(await call).toContain('ek1.')
    expect(kms.calls.length).toBe(2)
  })
})

describe('withKms: errors', () => {
  const throwing = (error: unknown) =>
    withKms(() => Promise.reject(error as Error), setup().options)

  it.each([
    ['payload 2.0', V2],
    ['payload 1.0', V1],
  ])('of edge-kms are problem documents for %s', async (_name, event) => {
    const { context, options, kms } = setup()
    kms.always = fail('ERR_KMS_ACCESS_DENIED', { provider: 'aws-kms', message: 'arn:secret' })
    const heard: unknown[] = []
    const handler = withKms(
      (_event: unknown, _context, { cipher, signal }) => cipher.encryptText('4111', { signal }),
      { ...options, onError: (error) => heard.push(error) },
    )
    const answer = await handler(event, context(3_000))
    expect(answer).toMatchObject({
      statusCode: 403,
      headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
      isBase64Encoded: false,
    })
    const { body } = answer as { body: string }
    expect(JSON.parse(body)).toMatchObject({ code: 'ERR_KMS_ACCESS_DENIED', status: 403 })
    expect(body).not.toContain('arn:secret')
    expect(heard).toMatchObject([{ code: 'ERR_KMS_ACCESS_DENIED' }])
  })

  it('have the status of the gateway, for every code', async () => {
    const { context } = setup()
    for (const code of KMS_ERROR_CODES) {
      const error = new KmsError(code)
      const answer = await throwing(error)(V2, context(3_000))
      const gateway = problemOf(error)
      expect(answer).toMatchObject({ statusCode: gateway.status, body: await gateway.text() })
    }
  })

  it('with a code of another version are 500, never 200', async () => {
    const error = new KmsError('ERR_OF_TOMORROW' as never)
    expect(await throwing(error)(V2, setup().context(3_000))).toMatchObject({ statusCode: 500 })
  })

  it('by the abort of the signal are 504', async () => {
    const { context, options, world, kms } = setup()
    kms.always = hang
    const handler = withKms(
      (_event: unknown, _context, { cipher, signal }) => cipher.encryptText('x', { signal }),
      options,
    )
    const answer = await world.settled(handler(V2, context(3_000)))
    expect(answer).toMatchObject({ status: 'fulfilled', value: { statusCode: 504 } })
  })

  it.each([
    ['SQS', { Records: [] }],
    ['a direct call', { httpMethod: 'POST' }],
    ['an Application Load Balancer', { ...V1, requestContext: { elb: {} } }],
    ['a WebSocket API', { requestContext: { connectionId: 'c', routeKey: '$default' } }],
    ['an authorizer of a REST API', { ...V1, type: 'REQUEST', methodArn: 'arn' }],
    ['an authorizer of an HTTP API', { ...V2, type: 'REQUEST', routeArn: 'arn' }],
    ['nothing', undefined],
    ['null', null],
    ['text', '2.0'],
  ])('for %s are thrown', async (_name, event) => {
    const call = throwing(new KmsError('ERR_KMS_UNAVAILABLE'))(event, setup().context(3_000))
    await expect(call).rejects.toMatchObject({ code: 'ERR_KMS_UNAVAILABLE' })
  })

  it('of others are thrown, also for HTTP', async () => {
    const error = Object.assign(new Error('mine'), { code: 'ERR_KMS_UNAVAILABLE' })
    await expect(throwing(error)(V2, setup().context(3_000))).rejects.toBe(error)
  })

  it('are answered although onError throws', async () => {
    const { context, options } = setup()
    const onError = () => {
      throw new Error('log')
    }
    const handler = withKms(
      () => {
        throw new KmsError('ERR_KMS_THROTTLED', { retryAfterMs: 1_500 })
      },
      { ...options, onError },
    )
    const answer = await handler(V1, context(3_000))
    expect(answer).toMatchObject({ statusCode: 503, headers: { 'retry-after': '2' } })
  })
})
