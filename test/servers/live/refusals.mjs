/** Requests that the script refuses before it asks anybody anything. */
import assert from 'node:assert/strict'
import { openFront } from '../../../tools/servers/front.mjs'
import { runLive } from './script.mjs'

const SECRET = 's3cret-of-a-real-account'

/** Complete, so that only the refusal is between it and the server. */
const envFor = (url) => ({
  EDGE_KMS_LIVE_AWS_ACCESS_KEY_ID: 'AKIALIVE',
  EDGE_KMS_LIVE_AWS_SECRET_ACCESS_KEY: SECRET,
  EDGE_KMS_LIVE_AWS_REGION: 'us-east-1',
  EDGE_KMS_LIVE_AWS_ENDPOINT: url,
})

export async function checkRefusals(check) {
  let requests = 0
  const front = await openFront(async () => {
    requests++
    return new Response('{}', { status: 500 })
  })
  const env = envFor(front.url)
  const refuses = async (args, given, pattern) => {
    const { code, text } = await runLive(args, given)
    assert.equal(code, 2, text)
    assert.match(text, pattern)
    assert.equal(text.includes(SECRET), false)
    assert.equal(requests, 0, 'it asked the account')
  }
  const without = ({ EDGE_KMS_LIVE_AWS_SECRET_ACCESS_KEY: _, ...rest }) => rest
  try {
    await check('refuses to run in CI', async () => {
      for (const CI of ['true', '1', 'false'])
        await refuses(['aws'], { ...env, CI }, /never run in CI/)
    })
    await check('refuses to run without a named account', () =>
      refuses([], env, /name at least one account/),
    )
    await check('refuses an account that it does not know', () =>
      refuses(['aws', 'ibm'], env, /unknown: ibm/),
    )
    await check('refuses a missing variable, and prints what to create and what it costs', () =>
      refuses(
        ['aws'],
        // Ambient credentials are not an explicit choice.
        { ...without(env), AWS_SECRET_ACCESS_KEY: SECRET, AWS_ACCESS_KEY_ID: 'AKIALIVE' },
        /about 1 cent[^]*aws iam create-user[^]*aws needs EDGE_KMS_LIVE_AWS_SECRET_ACCESS_KEY/,
      ),
    )
    await check('refuses to send secrets over http to another machine', async () => {
      const away = { ...env, EDGE_KMS_LIVE_AWS_ENDPOINT: 'http://kms.example' }
      const { code, text } = await runLive(['aws'], away)
      assert.equal(code, 1, text)
      assert.match(text, /must be https/)
    })
  } finally {
    await front.close()
  }
}
