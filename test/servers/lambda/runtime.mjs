/** R41, the runtime client's own ways: overlapping invocations, snapshots, streams that fail. */
import assert from 'node:assert/strict'
import { withFunction } from './function-process.mjs'
import { urlEvent } from './events.mjs'

const key = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')
const env = { EDGE_KMS_KEY_V1: key }

async function checkOverlap(fn) {
  // The first makes the stack, which may take its time; then the short one ends while the long one runs.
  await fn.invoke({ waitMs: 1 })
  const [long, short] = await Promise.all([
    fn.invoke({ waitMs: 1_500 }, 10_000),
    fn.invoke({ waitMs: 5_000 }, 1_200),
  ])
  assert.equal(Math.max(long.together, short.together), 2, 'the invocations did not overlap')
  assert.deepEqual([long.wasAborted, short.wasAborted], [false, true])
  assert.deepEqual([long.made, short.made], [1, 1])
  assert.deepEqual([long.own, long.deferred], [true, true])
}

/** Metadata and body of a streamed answer: JSON, eight zero bytes, the body. */
export function parseStream({ headers, body }) {
  assert.equal(headers['content-type'], 'application/vnd.awslambda.http-integration-response')
  assert.equal(headers['lambda-runtime-function-response-mode'], 'streaming')
  const at = body.indexOf(Buffer.alloc(8))
  return { ...JSON.parse(body.subarray(0, at).toString()), body: body.subarray(at + 8) }
}

async function checkStreams(fn) {
  const whole = await fn.ask(urlEvent('GET', '/whole'))
  assert.equal(parseStream(whole).body.length, 400_000)
  assert.equal(whole.trailers['lambda-runtime-function-error-type'], undefined)

  const early = await fn.ask(urlEvent('GET', '/early'))
  const problem = parseStream(early)
  assert.equal(problem.statusCode, 422)
  assert.equal(JSON.parse(problem.body.toString()).code, 'ERR_DECRYPT_FAILED')
  assert.equal(early.trailers['lambda-runtime-function-error-type'], undefined)

  const late = await fn.ask(urlEvent('GET', '/late'))
  const { statusCode, body } = parseStream(late)
  assert.equal(statusCode, 200)
  assert.ok(body.length > 0 && body.length < 300_000, `${body.length} bytes left`)
  assert.ok(body.every((byte) => byte === 120))
  assert.equal(late.trailers['lambda-runtime-function-error-type'], 'KmsError')
}

const snapStart = { ...env, AWS_LAMBDA_INITIALIZATION_TYPE: 'snap-start' }
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Whether the client took an invocation, or ended, or neither within the time. */
const paths = (fn) => fn.calls.map(({ path }) => path)

export async function checkRuntime(check, place) {
  await check('overlapping invocations have signals and deferred work of their own', () =>
    withFunction(
      {
        ...place,
        handler: 'overlap.handler',
        env: { ...env, AWS_LAMBDA_MAX_CONCURRENCY: '4', AWS_LAMBDA_NODEJS_WORKER_COUNT: '1' },
      },
      checkOverlap,
    ),
  )
  await check('a streamed answer is whole, a problem, or broken off', () =>
    withFunction({ ...place, handler: 'break.handler', env }, checkStreams),
  )
  await check('a snapshot waits for its restore, and has no data key of the init phase', () =>
    withFunction({ ...place, handler: 'snapshot.handler', env: snapStart }, async (fn) => {
      let restore = (_) => {}
      fn.holdRestore(new Promise((resolve) => (restore = resolve)))
      const answer = fn.invoke({})
      while (paths(fn).length === 0) await sleep(20)
      await sleep(300)
      assert.equal(await Promise.race([answer, Promise.resolve('waits')]), 'waits')
      restore(undefined)
      const { init, now } = await answer
      assert.notEqual(init, now)
      assert.deepEqual(paths(fn), ['/restore/next'])
    }),
  )
  await check('a failure before the snapshot fails the init phase: no snapshot', () =>
    withFunction(
      { ...place, handler: 'snapshot.handler', env: { ...snapStart, FAIL: 'before' } },
      async (fn) => {
        assert.notEqual(await fn.ended, 0)
        assert.deepEqual(paths(fn), ['/init/error'])
        assert.match(fn.calls[0]?.body ?? '', /before fails/)
      },
    ),
  )
  await check('a failure after the restore is reported, and no invocation is taken', () =>
    withFunction(
      { ...place, handler: 'snapshot.handler', env: { ...snapStart, FAIL: 'after' } },
      async (fn) => {
        void fn.ask({})
        assert.notEqual(await fn.ended, 0)
        assert.deepEqual(paths(fn).slice(0, 2), ['/restore/next', '/restore/error'])
        assert.equal(JSON.parse(fn.calls[1]?.body ?? '').errorType, 'Runtime.AfterRestoreError')
      },
    ),
  )
}
