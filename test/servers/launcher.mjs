/** The launcher itself: it leaves nothing behind, however a run ends, and says why it could not. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ensureInstalled } from '../../tools/servers/cache.mjs'
import { openFront } from '../../tools/servers/front.mjs'
import { findPython } from '../../tools/servers/python.mjs'
import { startServer } from '../../tools/servers/start.mjs'

const child = fileURLToPath(new URL('lib/launcher-child.mjs', import.meta.url))

/** A server of three lines, as a recipe. */
export const toy = {
  name: 'toy',
  version: '1',
  install: (folder) => writeFileSync(join(folder, 'whole'), ''),
  start: ({ port }) => ({
    command: process.execPath,
    args: [
      '-e',
      `require('node:http').createServer((q, s) => s.end('toy')).listen(${port}, '127.0.0.1')`,
    ],
    env: {},
  }),
  readyPath: '/',
}

const broken = {
  ...toy,
  name: 'broken',
  start: () => ({
    command: process.execPath,
    args: ['-e', "console.error('why it failed'); process.exit(3)"],
    env: {},
  }),
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A process that holds a toy server; it prints what must be gone once it has ended. */
async function holder(mode) {
  const process_ = spawn(process.execPath, [child, mode], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [line] = await once(process_.stdout, 'data')
  return { process: process_, ...JSON.parse(String(line)) }
}

async function leavesNothing(mode, signal) {
  const held = await holder(mode)
  const ended = once(held.process, 'exit')
  if (signal !== undefined) held.process.kill(signal)
  await ended
  for (let look = 0; look < 100 && (isAlive(held.pid) || existsSync(held.log)); look++)
    await sleep(50)
  assert.equal(isAlive(held.pid), false, 'the server still runs')
  assert.equal(existsSync(held.log), false, 'its scratch folder is still there')
}

/** Runs `work` with a cache folder of its own. */
async function withCache(work) {
  const before = process.env['XDG_CACHE_HOME']
  const folder = mkdtempSync(join(tmpdir(), 'edge-kms-cache-'))
  process.env['XDG_CACHE_HOME'] = folder
  try {
    return await work(join(folder, 'edge-kms', 'servers'))
  } finally {
    if (before === undefined) delete process.env['XDG_CACHE_HOME']
    else process.env['XDG_CACHE_HOME'] = before
    rmSync(folder, { recursive: true, force: true })
  }
}

async function installsOnce() {
  await withCache(async () => {
    let installs = 0
    const counted = {
      ...toy,
      install: (folder) => {
        installs++
        toy.install(folder)
      },
    }
    const folders = await Promise.all([1, 2, 3].map(() => ensureInstalled(counted)))
    assert.equal(installs, 1)
    assert.equal(new Set(folders).size, 1)
    assert.equal(existsSync(join(folders[0], 'whole')), true)
  })
}

async function keepsNoHalfInstall() {
  await withCache(async (cache) => {
    const fails = {
      ...toy,
      install: () => {
        throw new Error('half way')
      },
    }
    await assert.rejects(ensureInstalled(fails), /half way/)
    assert.equal(existsSync(join(cache, 'toy-1')), false)
    assert.equal(existsSync(await ensureInstalled(toy)), true)
  })
}

async function takesOverADeadLock() {
  await withCache(async (cache) => {
    const dead = spawn(process.execPath, ['-e', ''])
    await once(dead, 'exit')
    mkdirSync(cache, { recursive: true })
    writeFileSync(join(cache, 'toy-1.lock'), String(dead.pid))
    assert.equal(existsSync(await ensureInstalled(toy)), true)
  })
}

async function frontCarriesARequest() {
  const front = await openFront(async (request) => {
    if (new URL(request.url).pathname === '/reset') throw new Error('reset')
    // Signatures cover the host as the client wrote it.
    const { host } = new URL(request.url)
    assert.equal(request.headers.get('host'), host)
    const seen = [request.method, request.headers.get('x-one'), await request.text()].join(' ')
    return new Response(seen, { status: 418, headers: { 'x-two': '2' } })
  })
  try {
    const init = { method: 'POST', headers: { 'x-one': '1' }, body: 'body' }
    const answer = await fetch(`${front.url}/path`, init)
    assert.equal(answer.status, 418)
    assert.equal(answer.headers.get('x-two'), '2')
    assert.equal(await answer.text(), 'POST 1 body')
    await assert.rejects(fetch(`${front.url}/reset`))
  } finally {
    await front.close()
  }
}

export async function checkLauncher(report) {
  const check = (name, work) => report.check(`launcher ${name}`, work)
  await check('stops a server at the end', () => leavesNothing('end', undefined))
  await check('stops it when the run throws', () => leavesNothing('throw', undefined))
  await check('stops it when the run exits', () => leavesNothing('exit', undefined))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'])
    await check(`stops it after ${signal}`, () => leavesNothing('hang', signal))
  await check('prints the log of a server that fails to start', () =>
    assert.rejects(startServer(broken, ''), /ended with 3[^]*why it failed/),
  )
  await check('installs once for many', installsOnce)
  await check('keeps no half install', keepsNoHalfInstall)
  await check('takes over the lock of a dead process', takesOverADeadLock)
  await check('says what a machine lacks', () =>
    assert.throws(() => findPython(['2.0'], 'toy'), { name: 'MissingError' }),
  )
  await check('puts a fetch handler behind a port', frontCarriesARequest)
}
