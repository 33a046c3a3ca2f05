import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { EncryptedEnvelope, EnvelopeCipher } from '../../src/index.ts'
import { createLocalKms } from '../../src/providers/local/index.ts'
import { demandProblem, MARKER } from './world.mjs'

/**
 * Checks that all works as documented: the printed lines, every route, and every size.
 * @param {import('./world.mjs').Report} report
 * @param {import('./world.mjs').World} world
 * @param {import('./world.mjs').Gateway} gateway
 * @param {string} url
 */
export function checkRoutes(report, world, gateway, url) {
  const { check } = report

  void check(
    'the two lines that npm start prints, pasted as they are, give a file back',
    async () => {
      const { output } = await gateway.ready()
      const content = Buffer.concat([Buffer.from(MARKER), randomBytes(300_000)])
      world.write('README.md', content)
      const lines = output.split('\n').filter((line) => line.startsWith('  curl '))
      assert.equal(lines.length, 2)
      for (const line of lines) assert.equal((await world.paste(line)).exitCode, 0, line)
      assert.deepEqual(world.read('README.md.out'), content)
      assert.ok(!world.read('README.md.ek').includes(MARKER))
    },
  )

  void check('so do the two lines of GET /', async () => {
    const help = await world.curl(`${url}/`, { method: 'GET', headers: {} })
    assert.equal(help.status, 200)
    assert.match(help.head, /^content-type: text\/plain/im)
    const content = Buffer.concat([Buffer.from(MARKER), randomBytes(1_000)])
    world.write('FILE', content)
    const lines = help.body.toString().match(/^ {2}curl .*$/gm) ?? []
    assert.equal(lines.length, 2)
    for (const line of lines) assert.equal((await world.paste(line)).exitCode, 0, line)
    assert.deepEqual(world.read('FILE.out'), content)
  })

  for (const bytes of [0, 1, 16_383, 16_384, 16_385, 1_048_576, 5_000_000]) {
    void check(`${bytes} bytes there and back`, async () => {
      const content = randomBytes(bytes)
      const sealed = await world.curl(`${url}/v1/encrypt`, { body: content })
      assert.deepEqual([sealed.exitCode, sealed.status], [0, 200])
      assert.match(sealed.head, /^content-type: application\/octet-stream\r$/im)
      assert.match(sealed.head, /^x-content-type-options: nosniff\r$/im)
      const opened = await world.curl(`${url}/v1/decrypt`, { body: sealed.body, opens: true })
      assert.deepEqual([opened.exitCode, opened.status], [0, 200])
      assert.deepEqual(opened.body, content)
    })
  }

  void check('no body at all is an empty plaintext', async () => {
    const sealed = await world.curl(`${url}/v1/encrypt`)
    const opened = await world.curl(`${url}/v1/decrypt`, { body: sealed.body, opens: true })
    assert.deepEqual([sealed.status, opened.status, opened.body.length], [200, 200, 0])
  })

  void check('rewrap gives another envelope with the same plaintext', async () => {
    const body = Buffer.from(MARKER)
    const sealed = await world.curl(`${url}/v1/encrypt`, { body })
    const headers = { 'Edge-Kms-Context': '{"tenant":"acme"}' }
    const moved = await world.curl(`${url}/v1/rewrap`, { body: sealed.body, headers })
    assert.equal(moved.status, 200)
    assert.notDeepEqual(moved.body, sealed.body)
    const opened = await world.curl(`${url}/v1/decrypt`, { body: moved.body, opens: true })
    assert.deepEqual(opened.body, body)
  })

  void check('inspect shows the head of an envelope, and that it can be opened here', async () => {
    const sealed = await world.curl(`${url}/v1/encrypt`, { body: Buffer.from(MARKER) })
    const answer = await world.curl(`${url}/v1/inspect`, { body: sealed.body, headers: {} })
    const facts = JSON.parse(answer.body.toString())
    assert.deepEqual([answer.status, facts.kind, facts.canOpen], [200, 'stream', true])
    assert.equal(facts.wraps[0].provider, 'local')
    assert.equal(EncryptedEnvelope.parse(sealed.body).headBytes, facts.headBytes)
  })

  void check('a record that the library made with the same key is opened', async () => {
    const key = Buffer.from(world.keyOf(gateway.files.keyFile), 'base64')
    const kms = createLocalKms({ versions: [{ version: 1, key }] })
    const maps = { context: { tenant: 'acme' }, aad: { file: 'README.md' } }
    const body = await new EnvelopeCipher({ kms }).encrypt(Buffer.from(MARKER), maps)
    const opened = await world.curl(`${url}/v1/decrypt`, { body, opens: true })
    assert.deepEqual([opened.status, opened.body.toString()], [200, MARKER])
  })

  for (const path of ['/healthz', '/readyz']) {
    void check(`GET ${path} says healthy`, async () => {
      const answer = await world.curl(`${url}${path}`, { method: 'GET', headers: {} })
      assert.equal(answer.status, 200)
      assert.equal(JSON.parse(answer.body.toString()).healthy, true)
    })
  }

  void check('HEAD /healthz has no body', async () => {
    const answer = await world.curl(`${url}/healthz`, { method: 'HEAD', headers: {}, args: ['-I'] })
    assert.deepEqual([answer.exitCode, answer.status], [0, 200])
  })

  void check('GET /metrics counts what was done', async () => {
    const answer = await world.curl(`${url}/metrics`, { method: 'GET', headers: {} })
    assert.match(answer.body.toString(), /_requests_total\{route="rewrap",outcome="ok"\} 1\n/)
    assert.match(answer.body.toString(), /^edge_kms_cache_lookups_total\{/m)
  })

  void check('another path is 404, another method 405 with Allow', async () => {
    const missing = await world.curl(`${url}/v1/nothing`, { headers: {} })
    demandProblem(missing, 404, 'ERR_GATEWAY_NOT_FOUND')
    const get = await world.curl(`${url}/v1/encrypt`, { method: 'GET', headers: {} })
    demandProblem(get, 405, 'ERR_GATEWAY_METHOD_NOT_ALLOWED')
    assert.match(get.head, /^allow: POST\r$/im)
  })
}
