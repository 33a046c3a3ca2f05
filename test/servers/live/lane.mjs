/**
 * The script of `npm run test:live` from end to end, against servers on this machine in place of the vendors: what it
 * refuses, what it leaves behind, and that it prints no secret.
 */
import assert from 'node:assert/strict'
import { openFront } from '../../../tools/servers/front.mjs'
import { programFolder } from '../lib/on-runtimes.mjs'
import { openAccounts } from './accounts.mjs'
import { checkRefusals } from './refusals.mjs'
import { runLive, startLive } from './script.mjs'

const VENDORS = ['aws', 'vault', 'gcp', 'azure']

/** @param {Readonly<Record<string, any>>} accounts */
async function checkWhole(check, accounts, program) {
  const vendors = VENDORS.filter((vendor) => vendor in accounts)
  const env = Object.assign({}, ...vendors.map((vendor) => accounts[vendor].env))
  /** @type {Awaited<ReturnType<typeof runLive>> | undefined} */
  let done
  await check(`${vendors.join(', ')}: the whole suite passes`, async () => {
    done = await runLive(vendors, { ...env, EDGE_KMS_PROGRAM: program })
    assert.match(done.text, /^\d{2,} passed, 0 failed, \d+ skipped$/m, done.text)
    assert.equal(done.code, 0, done.text)
    assert.doesNotMatch(done.text, /^LEFT/m)
  })
  for (const vendor of vendors)
    await check(`${vendor}: everything that a run made is removed`, async () => {
      const made = await accounts[vendor].made()
      assert.ok(made.length >= 2, 'the server has seen no key of the run')
      const kept = made.filter(({ gone }) => !gone)
      assert.deepEqual(kept, [])
    })
  await check('prints no secret', () => {
    for (const vendor of vendors)
      for (const secret of accounts[vendor].secrets)
        assert.equal(done?.text.includes(secret), false, `the secret of ${vendor} is printed`)
  })
}

/** Signals in the middle: what was made until then, and what is being made, is removed. */
async function checkInterrupt(check, { aws }, program) {
  await check('aws: Ctrl-C in the middle removes what was made', async () => {
    const before = (await aws.made()).length
    const child = startLive(['aws'], { ...aws.env, EDGE_KMS_PROGRAM: program })
    while ((await aws.made()).length === before)
      await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGINT')
    const { code, text } = await child.ended
    assert.equal(code, 1, text)
    assert.match(text, /ended by SIGINT/)
    const made = (await aws.made()).slice(before)
    assert.ok(made.length > 0 && made.every(({ gone }) => gone), JSON.stringify(made))
  })
}

async function checkOtherRuntimes(check, { vault }, program) {
  await check('vault: on Deno and workerd, each with keys of its own', async () => {
    const before = (await vault.made()).length
    const env = { ...vault.env, EDGE_KMS_PROGRAM: program }
    const { code, text } = await runLive(['vault', '--on', 'deno,workerd'], env)
    assert.equal(code, 0, text)
    assert.match(text, /on deno: /)
    assert.match(text, /on workerd: /)
    const made = (await vault.made()).slice(before)
    assert.equal(made.length, 8)
    assert.ok(made.every(({ gone }) => gone))
  })
}

async function checkFailures(check, { vault }, program) {
  await check('vault: a token that is refused is a failure, and is not printed', async () => {
    const token = 'hvs.a-token-that-nobody-gave-out'
    const env = { ...vault.env, EDGE_KMS_LIVE_VAULT_TOKEN: token, EDGE_KMS_PROGRAM: program }
    const { code, text } = await runLive(['vault'], env)
    assert.equal(code, 1)
    assert.match(text, /answered 403/)
    assert.doesNotMatch(text, /a-token-that/)
  })
  await check('vault: what a server echoes is printed without the token', async () => {
    const echo = (/** @type {Request} */ request) =>
      new Response(`got ${request.headers.get('x-vault-token')}`, { status: 500 })
    const front = await openFront(async (request) => echo(request))
    try {
      const address = { EDGE_KMS_LIVE_VAULT_ADDR: front.url }
      const env = { ...vault.env, ...address, EDGE_KMS_PROGRAM: program }
      const { code, text } = await runLive(['vault'], env)
      assert.equal(code, 1)
      assert.match(text, /answered 500: got \[secret\]/)
      assert.equal(text.includes(vault.env.EDGE_KMS_LIVE_VAULT_TOKEN), false)
    } finally {
      await front.close()
    }
  })
}

/** @param {import('../lib/lane.mjs').LaneOptions} options */
export async function runLane({ report }) {
  const check = (name, work) => report.check(`live ${name}`, work)
  await checkRefusals(check)
  const program = await programFolder()
  await openAccounts(
    (vendor, reason) => report.skip(`live ${vendor}`, reason),
    async (accounts) => {
      await checkWhole(check, accounts, program)
      if ('aws' in accounts) await checkInterrupt(check, accounts, program)
      if (!('vault' in accounts)) return
      await checkOtherRuntimes(check, accounts, program)
      await checkFailures(check, accounts, program)
    },
  )
}
