/** examples/deno under `deno task start`, with its exact permissions: encrypts, restarts, decrypts, rewraps. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { binOf, toolEnv } from '../../../tools/lib/folders.mjs'
import { freePort } from '../../start/gateway-process.mjs'
import { started, stopped } from '../processes.mjs'

const KEYS = [1, 2].map((first) =>
  Buffer.from(Array.from({ length: 32 }, (_, i) => first + i)).toString('base64'),
)
const TOKENS = { acme: 'a'.repeat(32), globex: 'b'.repeat(32) }
const NOTE = 'the launch code is 4711'

/** @param {string} folder */
async function openServer(folder) {
  const port = await freePort()
  for (const name of ['deno.json', 'src/main.ts']) {
    const path = join(folder, name)
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('8000', String(port)))
  }
  const deno = binOf('runtimes/deno', 'deno')
  const env = { ...toolEnv(), NO_COLOR: '1', TOKENS: JSON.stringify(TOKENS) }
  const check = spawnSync(deno, ['task', 'check'], { cwd: folder, env, encoding: 'utf8' })

  /** Starts it with these keys, calls `work`, and stops it. */
  async function session(/** @type {object} */ keys, /** @type {() => Promise<void>} */ work) {
    const child = spawn(deno, ['task', 'start'], {
      cwd: folder,
      env: { ...env, ...keys },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    await started(child, 'Listening on')
    try {
      await work()
    } finally {
      await stopped(child)
    }
  }

  /** @param {string} method @param {string} path @param {{ tenant?: 'acme' | 'globex', body?: string }} [options] */
  async function send(method, path, { tenant = 'acme', body } = {}) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKENS[tenant]}` },
      ...(body !== undefined && { body }),
    })
    return { status: response.status, text: await response.text() }
  }
  return { check, session, send, address: `http://127.0.0.1:${port}` }
}

/**
 * @param {import('../workers/world.mjs').Report} report
 * @param {string} folder
 */
export async function checkExample({ check }, folder) {
  const server = await openServer(folder)
  const { session, send } = server
  const [v1, v2] = KEYS
  const note = { status: 200, text: NOTE }
  await check('the example compiles under deno check', () => {
    assert.equal(server.check.status, 0, server.check.stderr)
  })
  await check('the example encrypts, and its database does not show the note', async () => {
    await session({ EDGE_KMS_KEY_V1: v1 }, async () => {
      assert.equal((await send('PUT', '/notes/1', { body: NOTE })).status, 204)
      assert.deepEqual(await send('GET', '/notes/1'), note)
    })
    const files = readdirSync(folder).filter((name) => name.startsWith('notes.sqlite'))
    const stored = Buffer.concat(files.map((name) => readFileSync(join(folder, name))))
    assert.ok(stored.includes('edge-kms') && stored.includes('notes'))
    assert.ok(!stored.includes(NOTE) && !stored.includes('launch code'))
  })
  await check('after a restart it decrypts, and rewraps to a new key', async () => {
    await session({ EDGE_KMS_KEY_V1: v1, EDGE_KMS_KEY_V2: v2 }, async () => {
      assert.deepEqual(await send('GET', '/notes/1'), note)
      assert.equal((await send('POST', '/notes/1/rewrap')).status, 204)
      assert.deepEqual(await send('GET', '/notes/1'), note)
    })
  })
  await check('after another one the new key alone decrypts it', async () => {
    await session({ EDGE_KMS_KEY_V2: v2 }, async () => {
      assert.deepEqual(await send('GET', '/notes/1'), note)
      assert.equal((await send('PUT', '/notes/2', { body: 'second' })).status, 204)
    })
    await session({ EDGE_KMS_KEY_V1: v1 }, async () => {
      const { status, text } = await send('GET', '/notes/1')
      assert.ok(status >= 400, `the old key alone answers ${status} ${text}`)
      assert.ok(!text.includes(NOTE))
    })
  })
  await check(
    'callers without a token, of another tenant, and with too much are refused',
    async () => {
      await session({ EDGE_KMS_KEY_V2: v2 }, async () => {
        assert.equal((await fetch(`${server.address}/notes/1`)).status, 401)
        assert.equal((await send('GET', '/notes/1', { tenant: 'globex' })).status, 404)
        assert.equal((await send('PUT', '/notes/3', { body: 'x'.repeat(60_001) })).status, 413)
        assert.equal((await send('DELETE', '/notes/1')).status, 405)
      })
    },
  )
}
