import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { snapshotPoint, snapshotRuntime } from '../../../adapters/lambda/index.ts'
import { deferred, setup } from './support.ts'

interface Seen {
  readonly call: string
  readonly body: string
  readonly type: string | undefined
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A Runtime API on loopback that restores when a test says so. */
async function runtimeApi(status = 200) {
  const restored = deferred()
  const waiting = deferred()
  const seen: Seen[] = []
  const server = createServer((request, answer) => {
    void (async () => {
      const body = Buffer.concat(await request.toArray()).toString()
      const type = request.headers['lambda-runtime-function-error-type'] as string | undefined
      seen.push({ call: `${request.method} ${request.url}`, body, type })
      if (request.method === 'POST') return answer.writeHead(202).end('{"status":"OK"}')
      waiting.resolve()
      await restored.promise
      return answer.writeHead(status).end()
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close())
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = { AWS_LAMBDA_INITIALIZATION_TYPE: 'snap-start', AWS_LAMBDA_RUNTIME_API: address }
  return { env, seen, waiting: waiting.promise, restore: restored.resolve }
}

const NEXT = 'GET /2018-06-01/runtime/restore/next'
const ERROR = 'POST /2018-06-01/runtime/restore/error'

describe('snapshotPoint', () => {
  it('does nothing without SnapStart', async () => {
    const { cipher, kms } = setup()
    await cipher.encryptText('x')
    for (const type of [undefined, 'on-demand', 'provisioned-concurrency']) {
      const env = { AWS_LAMBDA_INITIALIZATION_TYPE: type, AWS_LAMBDA_RUNTIME_API: 'x' }
      expect(await snapshotPoint({ clear: [cipher], env })).toBe('none')
    }
    await cipher.encryptText('x')
    expect(kms.calls).toEqual(['generateDataKey'])
  })

  it('drops data keys before the snapshot, waits for the restore, and then runs after', async () => {
    const { cipher, kms } = setup()
    const { env, seen, waiting, restore } = await runtimeApi()
    const order: string[] = []
    const sealed = await cipher.encryptText('x')
    const before = async () => {
      order.push('before')
      await cipher.encryptText('x') // still cached, and dropped with the others
    }
    const point = snapshotPoint({ clear: [cipher], before, after: () => order.push('after'), env })
    await waiting
    expect(order).toEqual(['before'])
    expect(kms.calls).toEqual(['generateDataKey'])
    await cipher.decryptText(sealed) // asks the KMS: the snapshot has no key
    expect(kms.calls).toEqual(['generateDataKey', 'unwrapDataKey'])
    restore()
    expect(await point).toBe('restored')
    expect(order).toEqual(['before', 'after'])
    expect(seen.map(({ call }) => call)).toEqual([NEXT])
    await cipher.decryptText(sealed) // and the key of just now was dropped after the restore
    expect(kms.calls.length).toBe(3)
  })

  it('takes no snapshot when before or clear fails', async () => {
    const { cipher } = setup()
    const { env, seen } = await runtimeApi()
    const error = new Error('cannot close')
    const before = () => Promise.reject(error)
    await expect(snapshotPoint({ clear: [cipher], before, env })).rejects.toBe(error)
    const broken = {
      clear: () => {
        throw error
      },
    }
    await expect(snapshotPoint({ clear: [cipher, broken], env })).rejects.toBe(error)
    expect(seen).toEqual([])
  })

  it('reports a failure after the restore, without its text, and fails', async () => {
    const { cipher } = setup()
    const { env, seen, restore } = await runtimeApi()
    restore()
    const error = new Error('password-canary-4111')
    const after = () => Promise.reject(error)
    await expect(snapshotPoint({ clear: [cipher], after, env })).rejects.toBe(error)
    expect(seen.map(({ call }) => call)).toEqual([NEXT, ERROR])
    expect(seen[1]?.type).toBe('Runtime.AfterRestoreError')
    expect(JSON.parse(seen[1]?.body ?? '')).toEqual({
      errorType: 'Runtime.AfterRestoreError',
      errorMessage: 'the hook after the restore failed',
    })
  })

  it('fails where the Runtime API does not take part', async () => {
    const { cipher } = setup()
    const { env, restore } = await runtimeApi(404)
    restore()
    const refused = {
      code: 'ERR_KMS_UNAVAILABLE',
      message: expect.stringContaining('404') as string,
    }
    await expect(snapshotPoint({ clear: [cipher], env })).rejects.toMatchObject(refused)
    const gone = { ...env, AWS_LAMBDA_RUNTIME_API: '127.0.0.1:1' }
    await expect(snapshotPoint({ clear: [cipher], env: gone })).rejects.toThrow('cannot be reached')
    for (const address of [undefined, '', 'http://x', 'host:1/path', 'user@host:1']) {
      const wrong = { ...env, AWS_LAMBDA_RUNTIME_API: address }
      await expect(snapshotPoint({ clear: [cipher], env: wrong })).rejects.toThrow('host:port')
    }
  })

  it('refuses wrong options', async () => {
    const { cipher } = setup()
    const ask = (options: object) => snapshotPoint(options as never)
    await expect(ask({ clear: [] })).rejects.toThrow('clear must be a list of ciphers or caches')
    await expect(ask({ clear: cipher })).rejects.toThrow('clear must be')
    await expect(ask({ clear: [{}] })).rejects.toThrow('clear must be')
    await expect(ask({ clear: [cipher], after: 1 })).rejects.toThrow('after must be a function')
    await expect(ask({ clear: [cipher], restore: 1 })).rejects.toThrow('unknown option: restore')
  })
})

/** The lines that a copy wrote, before the snapshot and after its restore. */
interface Copy {
  readonly before: string
  readonly dataKey: string
  readonly prefix: string
}

/** Runs the process up to the snapshot and on: two runs are the same up to there, to the byte. */
async function copyOf(mode: string): Promise<Copy> {
  const { env, restore } = await runtimeApi()
  restore()
  const file = fileURLToPath(new URL('snapshot.child.ts', import.meta.url))
  const child = spawn(process.execPath, [file, mode], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [output] = await Promise.all([child.stdout.toArray(), once(child, 'exit')])
  return JSON.parse(Buffer.concat(output as Buffer[]).toString()) as Copy
}

describe('R41 a snapshot that is restored twice', () => {
  it('shares no data key and no nonce prefix', async () => {
    const [one, two] = await Promise.all([copyOf('snapshot-point'), copyOf('snapshot-point')])
    expect(one.before).toBe(two.before) // it is the same snapshot
    expect(one.dataKey).not.toBe(two.dataKey)
    expect(one.prefix).not.toBe(two.prefix)
  })

  it('shares the data key without snapshotPoint: the test sees what it looks for', async () => {
    const [one, two] = await Promise.all([copyOf('nothing'), copyOf('nothing')])
    expect(one.before).toBe(two.before)
    expect([one.dataKey, one.prefix]).toEqual([two.dataKey, two.prefix])
  })

  it('shares data key and prefix with a generator whose state is in the snapshot', async () => {
    const [one, two] = await Promise.all([copyOf('own-generator'), copyOf('own-generator')])
    expect(one.before).toBe(two.before)
    expect([one.dataKey, one.prefix]).toEqual([two.dataKey, two.prefix])
  })
})

describe('snapshotRuntime', () => {
  it('fills whole arrays, and never twice alike', () => {
    const runtime = snapshotRuntime()
    const seen = new Set<string>()
    for (const length of [1, 24, 32, 65_537, 1_000_000]) {
      const bytes = runtime.randomFill(new Uint8Array(length))
      expect(bytes).toHaveLength(length)
      if (length < 16) continue
      for (const part of [bytes.subarray(0, 16), bytes.subarray(-16)]) {
        seen.add(Buffer.from(part).toString('hex'))
      }
    }
    expect(seen.size).toBe(8)
    const view = new Uint8Array(64)
    runtime.randomFill(view.subarray(16, 48))
    expect([...view.subarray(0, 16), ...view.subarray(48)]).toEqual(Array(32).fill(0))
    expect(Math.abs(runtime.now() - Date.now())).toBeLessThan(5_000)
  })
})
