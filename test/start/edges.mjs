import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './gateway-process.mjs'
import { mapHeaders } from './curl.mjs'
import { demandRefusal } from './start-up.mjs'

const root = join(import.meta.dirname, '..', '..')
const MIB = 1_048_576
const maps = Object.entries(mapHeaders()).flatMap(([name, value]) => ['-H', `${name}: ${value}`])

/**
 * Bodies of unknown length and clients that do not wait: `curl` from a pipe, without `Expect`.
 *
 * @param {import('./world.mjs').Report} report
 * @param {string} url
 */
export function checkPipes({ check }, url) {
  /** @param {string} path @param {Buffer} input @param {readonly string[]} [headers] */
  const pipe = (path, input, headers = maps) =>
    run('curl', ['-sSf', '-H', 'Expect:', ...headers, '-X', 'POST', '-T', '-', url + path], input)
  const plaintext = Buffer.alloc(9 * MIB, 'plaintext of unknown length ')

  void check('a pipe goes there and back', async () => {
    const sealed = await pipe('/v1/encrypt', plaintext)
    const rewrapped = await pipe('/v1/rewrap', sealed.stdout, maps.slice(0, 2))
    const opened = await pipe('/v1/decrypt', rewrapped.stdout)
    assert.deepEqual([sealed.code, rewrapped.code, opened.code], [0, 0, 0], opened.stderr)
    assert.ok(opened.stdout.equals(plaintext))
  })

  void check('a pipe that fails late breaks the connection', async () => {
    const { stdout: sealed } = await pipe('/v1/encrypt', plaintext)
    for (const at of [4 * MIB, sealed.length - 1]) {
      const damaged = Buffer.from(sealed)
      damaged[at] ^= 1
      for (const body of [damaged, sealed.subarray(0, at)]) {
        const { code, stdout } = await pipe('/v1/decrypt', body)
        assert.ok(code !== 0 && code !== 22, `curl exited with ${code}`)
        assert.ok(stdout.length < at && stdout.equals(plaintext.subarray(0, stdout.length)))
      }
    }
  })

  void check('a problem reaches a client that still sends', async () => {
    const { stdout: sealed } = await pipe('/v1/encrypt', plaintext)
    /** @type {[string, Buffer, readonly string[]][]} */
    const calls = [
      ['/v1/decrypt', sealed, maps.slice(0, 2)],
      ['/v1/decrypt', plaintext, maps],
      ['/v1/encrypt', plaintext, ['-H', 'Edge-Kms-Context: x']],
      ['/v1/inspect', plaintext, []],
      ['/v1/nothing', plaintext, []],
    ]
    // Several times: a connection that is reset loses a problem now and then.
    for (let i = 0; i < 4; i++) {
      for (const [path, body, headers] of calls) {
        const { code, stdout } = await pipe(path, body, headers)
        assert.equal(code, 22, `${path}: curl saw no problem, but exited with ${code}`)
        assert.equal(stdout.length, 0)
      }
    }
    const inspected = await pipe('/v1/inspect', sealed, [])
    assert.equal(inspected.code, 0, inspected.stderr)
    assert.equal(JSON.parse(inspected.stdout.toString()).canOpen, true)
  })

  void check('a client that goes away harms nobody else', async () => {
    for (const args of [
      ['-m', '0.2'],
      ['--limit-rate', '100k', '-m', '0.5'],
    ]) {
      const all = ['-sS', '-H', 'Expect:', ...args, '-X', 'POST', '-T', '-', `${url}/v1/encrypt`]
      await run('curl', all, Buffer.alloc(30 * MIB))
      assert.equal((await pipe('/v1/encrypt', Buffer.from('x'))).code, 0)
    }
  })

  void check("miniflare's headers move nothing, and nothing is compressed", async () => {
    const original = ['-H', 'MF-Original-URL: http://evil.example/v1/inspect']
    const sealed = await pipe('/v1/encrypt', Buffer.from('x'), [...maps, ...original])
    assert.equal((await pipe('/v1/decrypt', sealed.stdout)).stdout.toString(), 'x')
    const args = ['-sS', '-D', '-', '-o', '/dev/null', '-H', 'Accept-Encoding: gzip, br']
    const { stdout } = await run('curl', [...args, `${url}/metrics`])
    assert.doesNotMatch(stdout.toString(), /^content-encoding/im)
  })
}

/**
 * Checks further obstacles to a start, and unusual starts.
 *
 * @param {import('./world.mjs').Report} report
 * @param {import('./world.mjs').World} world
 */
export async function checkUnusualStarts({ check, skip }, world) {
  const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => 255 - i)).toString('base64')
  world.keepSecret(KEY)

  for (const HOST of ['0.0.0.0', '::', '192.0.2.1']) {
    void check(`HOST=${HOST} needs a word from the user`, async () => {
      await demandRefusal(world.start({ HOST }), ['HOST', 'EDGE_KMS_GATEWAY_HOSTS'])
    })
  }

  /** @type {[string, Record<string, string>, string][]} */
  const variables = [
    [
      'names a host with its port',
      { EDGE_KMS_GATEWAY_HOSTS: 'kms.internal:443' },
      'kms.internal:443',
    ],
    [
      'names hosts by a wildcard',
      { EDGE_KMS_GATEWAY_HOSTS: '*.internal' },
      'EDGE_KMS_GATEWAY_HOSTS',
    ],
    [
      'is not a number of bytes',
      { EDGE_KMS_GATEWAY_HOLD_BYTES: '1m' },
      'EDGE_KMS_GATEWAY_HOLD_BYTES',
    ],
    ['is too short', { EDGE_KMS_KEY_V1: 'AAAA' }, 'version 1'],
    ['is not random', { EDGE_KMS_KEY_V1: Buffer.alloc(32).toString('base64') }, 'version 1'],
    ['is misspelt', { EDGE_KMS_KEY_V1: KEY, EDGE_KMS_KEY_2: KEY }, 'EDGE_KMS_KEY_2'],
    ['has a zero in front', { EDGE_KMS_KEY_V01: KEY }, 'EDGE_KMS_KEY_V01'],
    ['retires what is not there', { EDGE_KMS_KEY_V1: KEY, EDGE_KMS_KEY_RETIRED: '7' }, 'version 7'],
  ]
  for (const [name, env, word] of variables) {
    void check(`a variable that ${name}`, () => demandRefusal(world.start(env), [word]))
  }

  void check('a folder in which others can put a key file of theirs', async () => {
    const files = world.state()
    const content = JSON.stringify({ format: 1, keys: { 1: KEY } })
    writeFileSync(files.keyFile, content, { mode: 0o600 })
    chmodSync(files.path, 0o777)
    await demandRefusal(world.start({}, files), [files.path, 'chmod 700'])
  })

  void check('a folder that cannot be made', async () => {
    const files = world.state()
    rmSync(files.path, { recursive: true })
    writeFileSync(files.path, 'a file where the folder would be')
    await demandRefusal(world.start({}, files), ['EDGE_KMS_STATE_DIR'])
  })

  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    void check(`${signal} ends it with exit code 0`, async () => {
      const child = await startedBy(process.execPath, world.state().path)
      child.kill(signal)
      assert.equal(await child.exitCode, 0)
    })
  }

  const old = process.env['npm_node_execpath'] ?? ''
  const version = (await run(old, ['--version']).catch(() => undefined))?.stdout.toString().trim()
  const major = Number(/^v(\d+)/.exec(version ?? '')?.[1])
  const handsOver = async () => {
    const child = await startedBy(old, world.state().path)
    child.kill('SIGTERM')
    assert.equal(await child.exitCode, 0)
  }
  if (major >= 20 && major < 24) void check('a Node that is too old hands over', handsOver)
  else skip('a Node that is too old', `npm runs on ${version ?? 'no known Node'}`)

  const probe = await run('unshare', ['-rn', 'ip', 'link']).catch(() => undefined)
  const offline = async () => {
    const { path } = world.state()
    const script = `
      ip link set lo up || exit 90
      "$NODE" tools/start.mjs > "$DIR/log" 2>&1 &
      until grep -q Ctrl "$DIR/log"; do kill -0 $! || { cat "$DIR/log"; exit 91; }; sleep 0.1; done
      head -c 100000 /dev/urandom > "$DIR/plain"
      curl -sSf -X POST -T "$DIR/plain" "http://127.0.0.1:$PORT/v1/encrypt" |
        curl -sSf -X POST -T - "http://127.0.0.1:$PORT/v1/decrypt" | cmp - "$DIR/plain"
      code=$?
      kill $! && wait $!
      exit $code`
    const env = { ...process.env, NODE: process.execPath, DIR: path, EDGE_KMS_STATE_DIR: path }
    const all = { ...env, HOST: '', PORT: String(await freePort()) }
    const done = await run('unshare', ['-rn', 'sh', '-c', script], undefined, all)
    assert.equal(done.code, 0, `${done.stdout}${done.stderr}`)
  }
  if (probe?.code === 0) void check('it works offline: loopback, and nothing else', offline)
  else skip('offline', 'no network namespace can be made here (unshare -rn ip link)')
}

/**
 * `tools/start.mjs` by itself, once it is ready.
 *
 * @param {string} node
 * @param {string} state
 */
async function startedBy(node, state) {
  const port = String(await freePort())
  const env = { ...process.env, HOST: '', PORT: port, EDGE_KMS_STATE_DIR: state }
  const child = spawn(node, ['tools/start.mjs'], { cwd: root, env })
  child.stderr.pipe(process.stderr)
  const exitCode = new Promise((resolve) => child.once('close', resolve))
  let output = ''
  await new Promise((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
      if (output.includes('Ctrl+C')) resolve(undefined)
    })
    void exitCode.then(resolve)
  })
  return { exitCode, kill: (/** @type {NodeJS.Signals} */ signal) => child.kill(signal) }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Buffer} [input]
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{ code: number | null, stdout: Buffer, stderr: string }>}
 */
function run(command, args, input, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env })
    /** @type {Buffer[]} */
    const stdout = []
    let stderr = ''
    child.stdout.on('data', (piece) => stdout.push(piece))
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.stdin.on('error', () => undefined) // the command may not read to the end
    child.stdin.end(input)
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout: Buffer.concat(stdout), stderr }))
  })
}
