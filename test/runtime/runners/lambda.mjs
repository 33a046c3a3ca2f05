/** Runs the suite as a function in AWS's Lambda emulator: one invocation runs all cases. */
import { join } from 'node:path'
import { node24 } from '../../../tools/lib/folders.mjs'
import { ensureInstalled } from '../../../tools/servers/cache.mjs'
import { lambdaRie } from '../../../tools/servers/lambda-rie.mjs'
import { MissingError } from '../../../tools/servers/missing.mjs'
import { freePort, startServer } from '../../../tools/servers/start.mjs'

const invocations = '/2015-03-31/functions/function/invocations'

/**
 * @param {string} scratch the folder with the installed package and the suite
 * @returns the table of the cases, or why this machine cannot run them
 */
export async function runLambda(scratch) {
  const apiPort = await freePort()
  const recipe = lambdaRie({
    apiPort,
    runtime: [node24, join(scratch, 'lambda-runtime.mjs')],
    env: {
      LAMBDA_TASK_ROOT: scratch,
      _HANDLER: 'lambda-handler',
      AWS_LAMBDA_FUNCTION_NAME: 'edge-kms-suite',
      AWS_LAMBDA_FUNCTION_TIMEOUT: '300',
    },
  })
  let folder
  try {
    folder = await ensureInstalled(recipe)
  } catch (error) {
    if (!(error instanceof MissingError) || process.env['CI'] === 'true') throw error
    return { missing: error.message }
  }
  const server = await startServer(recipe, folder)
  try {
    const asked = { method: 'POST', body: '{}', signal: AbortSignal.timeout(300_000) }
    const text = await (await fetch(server.url + invocations, asked)).text()
    /** @type {any} */
    const table = JSON.parse(text)
    if (!Array.isArray(table)) throw new Error(`the function answered ${text.slice(0, 2_000)}`)
    return { table }
  } catch (error) {
    throw new Error(`the Lambda emulator said: ${server.log().slice(-2_000)}`, { cause: error })
  } finally {
    await server.stop()
  }
}
