/** The example in AWS's own emulator of Lambda, which starts the runtime client itself. */
import assert from 'node:assert/strict'
import { node24 } from '../../../tools/lib/folders.mjs'
import { ensureInstalled } from '../../../tools/servers/cache.mjs'
import { lambdaRie } from '../../../tools/servers/lambda-rie.mjs'
import { MissingError } from '../../../tools/servers/missing.mjs'
import { freePort, startServer } from '../../../tools/servers/start.mjs'
import { policyOf } from './aws.mjs'
import { urlEvent } from './events.mjs'

export async function checkEmulator(check, skip, { aws, template, env, ric, root }) {
  const user = await aws.userWith('emulated', policyOf(template.statementsOf('Http')))
  const recipe = lambdaRie({
    apiPort: await freePort(),
    runtime: [node24, ric, 'http.handler'],
    env: { ...env, ...user, LAMBDA_TASK_ROOT: root, AWS_REGION: 'us-east-1' },
  })
  let folder
  try {
    folder = await ensureInstalled(recipe)
  } catch (error) {
    if (!(error instanceof MissingError) || process.env['CI'] === 'true') throw error
    return skip('in the emulator', error.message)
  }
  await check('in the emulator encrypts and decrypts', async () => {
    const server = await startServer(recipe, folder)
    // One after the other: the emulator breaks under calls at once.
    const ask = async (event) => {
      const url = `${server.url}/2015-03-31/functions/function/invocations`
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify(event) })
      return JSON.parse(await answer.text())
    }
    try {
      assert.equal((await ask(urlEvent('PUT', '/cards/rie', '4111'))).statusCode, 204)
      assert.equal((await ask(urlEvent('GET', '/cards/rie'))).body, '4111')
    } catch (error) {
      throw new Error(`${error.message}; it printed: ${server.log().slice(-1_500)}`, {
        cause: error,
      })
    } finally {
      await server.stop()
    }
  })
}
