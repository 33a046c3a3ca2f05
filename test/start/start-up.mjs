import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { gone, MARKER } from './world.mjs'

/**
 * The key file, and what is said when something is in the way.
 * @param {import('./world.mjs').Report} report
 * @param {import('./world.mjs').World} world
 * @param {import('./world.mjs').Gateway} local the gateway that runs; it has ended when this returns
 */
export async function checkStartUp({ check }, world, local) {
  const { url } = await local.ready()
  const body = Buffer.from(MARKER)
  const sealed = (await world.curl(`${url}/v1/encrypt`, { body })).body
  const key = readFileSync(local.files.keyFile, 'utf8')

  void check('the key file is for its owner only, and alone in its folder', () => {
    assert.equal(statSync(local.files.keyFile).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(local.files.path), ['local-key.json'])
  })

  void check('a port in use', async () => {
    const { port } = new URL(url)
    await demandRefusal(world.start({ PORT: port }), [port, 'PORT='])
    assert.equal((await world.curl(`${url}/healthz`, { method: 'GET', headers: {} })).status, 200)
  })

  for (const PORT of ['http', '0', '65536', '-1', '80.5', '1e3', ' 80']) {
    void check(`PORT=${JSON.stringify(PORT)}`, async () => {
      await demandRefusal(world.start({ PORT }), ['PORT', '65535'])
    })
  }

  void check('HOST that is not an address of this machine', async () => {
    await demandRefusal(world.start({ HOST: '192.0.2.1' }), ['HOST', '192.0.2.1'])
  })

  const half = JSON.stringify({ format: 1, keys: { 1: Buffer.alloc(16, 9).toString('base64') } })
  for (const [name, content] of [
    ['is empty', ''],
    ['was cut', key.slice(0, -10)],
    ['holds half a key', half],
    ['holds no key', '{"format":1,"keys":{}}'],
    ['is of another format', key.replace('"format": 1', '"format": 2')],
    ['holds null', 'null'],
  ]) {
    void check(`a key file that ${name} is named and left as it is`, async () => {
      const files = world.state()
      writeFileSync(files.keyFile, content, { mode: 0o600 })
      await demandRefusal(world.start({}, files), [files.keyFile, 'damaged', 'backup'])
      assert.equal(readFileSync(files.keyFile, 'utf8'), content)
    })
  }

  for (const mode of [0o644, 0o640, 0o604]) {
    void check(`a key file of mode 0${mode.toString(8)}`, async () => {
      const files = world.state()
      writeFileSync(files.keyFile, key)
      chmodSync(files.keyFile, mode)
      await demandRefusal(world.start({}, files), [files.keyFile, 'chmod 600'])
      assert.equal(statSync(files.keyFile).mode & 0o777, mode)
    })
  }

  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    void check(`${signal} ends all of it, and a restart keeps the key`, async () => {
      const first = world.start({}, local.files)
      const { url, pid } = await first.ready()
      assert.ok(pid !== undefined)
      const opened = await world.curl(`${url}/v1/decrypt`, { body: sealed, opens: true })
      assert.deepEqual(opened.body, body)
      await first.stop(signal)
      await gone(pid)
      assert.equal(readFileSync(local.files.keyFile, 'utf8'), key)
    })
  }

  void check('two starts at once make one key', async () => {
    const files = world.state()
    const both = [world.start({}, files), world.start({}, files)]
    const [one, two] = await Promise.all(both.map((gateway) => gateway.ready()))
    const answer = await world.curl(`${one.url}/v1/encrypt`, { body })
    const opened = await world.curl(`${two.url}/v1/decrypt`, { body: answer.body, opens: true })
    assert.deepEqual(opened.body, body)
    assert.deepEqual(readdirSync(files.path), ['local-key.json'])
    await Promise.all(both.map((gateway) => gateway.stop()))
  })

  void check('the key of EDGE_KMS_KEY_V1 is used, and no file is made', async () => {
    const files = world.state()
    const secret = Buffer.alloc(32, 'environment').toString('base64')
    world.keepSecret(secret)
    const gateway = world.start({ EDGE_KMS_KEY_V1: secret }, files)
    const { url } = await gateway.ready()
    assert.equal((await world.curl(`${url}/v1/encrypt`, { body })).status, 200)
    assert.deepEqual(readdirSync(files.path), [])
    await gateway.stop()
  })
}

/**
 * Ends with exit code 1 and a sentence that helps, not with a stack.
 * @param {import('./world.mjs').Gateway} gateway
 * @param {readonly string[]} words
 */
export async function demandRefusal(gateway, words) {
  const { exitCode, output } = await gateway.refusal()
  assert.equal(exitCode, 1, output)
  for (const word of words) assert.ok(output.includes(word), `no ${word} in: ${output}`)
  assert.match(output, /^edge-kms: /m)
  assert.doesNotMatch(output, /^\s+at /m)
  assert.doesNotMatch(output, /Error:|node:internal/)
}
