/** One execution environment: a function under AWS's own runtime client, before a Runtime API on loopback. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { node24 } from '../../../tools/lib/folders.mjs'
import { openRuntimeApi } from './runtime-api.mjs'

const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * @param {{ ric: string, root: string, handler: string, env?: Record<string, string>, prefix?: string[],
 *   nodeArgs?: string[] }} what
 *   `prefix` is a command that runs Node
 */
export async function startFunction({ ric, root, handler, env = {}, prefix = [], nodeArgs = [] }) {
  const api = await openRuntimeApi()
  const [command, ...args] = [...prefix, node24, ...nodeArgs, ric, handler]
  const child = spawn(command, args, {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      AWS_LAMBDA_RUNTIME_API: api.address,
      LAMBDA_TASK_ROOT: root,
      _HANDLER: handler,
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: 'f',
      AWS_LAMBDA_FUNCTION_VERSION: '1',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/f',
      AWS_LAMBDA_LOG_STREAM_NAME: 's',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (log += piece))
  const ended = once(child, 'exit').then(([code, signal]) => {
    running.delete(child)
    return code ?? signal
  })
  return {
    ...api,
    pid: child.pid,
    log: () => log,
    ended,
    async stop() {
      child.kill('SIGKILL')
      await ended
      api.close()
    },
  }
}

/**
 * Runs `work` with one execution environment. An error includes what the function printed.
 *
 * @template T
 * @param {Parameters<typeof startFunction>[0]} what
 * @param {(fn: Awaited<ReturnType<typeof startFunction>>) => Promise<T>} work
 */
export async function withFunction(what, work) {
  const fn = await startFunction(what)
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('the function did not answer')), 60_000)
  })
  try {
    return await Promise.race([work(fn), late])
  } catch (error) {
    throw new Error(`${error.message}\nthe function printed: ${fn.log().slice(-2_000)}`, {
      cause: error,
    })
  } finally {
    clearTimeout(timer)
    await fn.stop()
  }
}
