import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  nodeConfigFile,
  nodeFileToken,
  nodePlatform,
  nodeReferences,
} from '../../../adapters/node/index.ts'
import { createKms } from '../../../src/config/index.ts'
import { webRuntime } from '../../../src/runtime/index.ts'
import { createFakeVault } from '../../../adapters/fakes/index.ts'
import { codeOf } from '../credentials/aws/ports.ts'

const endpoint = 'https://vault.example.test'
const context = { 'edge-kms:dk': 'salt.1' }
let folder = ''
let path = ''
let generation = 0

/** As a kubelet does: a new folder, a link to it beside, and the rename that puts it in place. */
async function project(text: string): Promise<void> {
  generation += 1
  const data = join(folder, `data-${String(generation)}`)
  await mkdir(data)
  await writeFile(join(data, 'token'), text)
  await symlink(data, join(folder, '..data_tmp'))
  await rename(join(folder, '..data_tmp'), join(folder, '..data'))
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-kms-token-'))
  path = join(folder, 'token')
  await project('b2xk.Ym9keQ.c2lnbg\n')
  await symlink(join('..data', 'token'), path)
})
afterEach(() => rm(folder, { recursive: true }))

describe('nodeFileToken', () => {
  it('gives the token that is in the file now', async () => {
    const token = nodeFileToken(path)
    expect(await token()).toBe('b2xk.Ym9keQ.c2lnbg')
    await project('bmV3.Ym9keQ.c2lnbg\n')
    expect(await token()).toBe('bmV3.Ym9keQ.c2lnbg')
  })

  it('refuses a file that is not there, a folder, and one without a token', async () => {
    const code = (one: string) => codeOf(nodeFileToken(one)())
    expect(await code(join(folder, 'nothing'))).toBe('ERR_KMS_CONFIG')
    expect(await code(folder)).toBe('ERR_KMS_CONFIG')
    await project('not a token')
    expect(await code(path)).toBe('ERR_KMS_UNAUTHENTICATED')
  })
})

describe('files that are not what they should be', () => {
  const pipe = (): string => {
    const name = join(folder, 'pipe')
    execFileSync('mkfifo', [name])
    return name
  }

  it('a pipe is refused at once, and WebCrypto works on', async () => {
    const at = pipe()
    const token = nodeFileToken(at)
    const { readTextFile } = nodePlatform()
    // More than the threads that the process has for files and WebCrypto.
    const reads = Array.from({ length: 8 }, () => [token(), readTextFile(at)]).flat()
    const codes = (await Promise.allSettled(reads)).map(({ status }) => status)
    expect(new Set(codes)).toEqual(new Set(['rejected']))
    expect((await crypto.subtle.digest('SHA-256', new Uint8Array(8))).byteLength).toBe(32)
    expect(() => nodeReferences({ file: at })).toThrow('NOT_A_REGULAR_FILE')
    expect(() => nodeConfigFile(at)).toThrow('regular file')
  })

  it.each(['/dev/zero', '/dev/urandom', '/dev'])('%s is refused before it is read', async (at) => {
    const { readTextFile } = nodePlatform()
    await expect(readTextFile(at)).rejects.toMatchObject({ code: 'NOT_A_REGULAR_FILE' })
    expect(await codeOf(nodeFileToken(at)())).toBe('ERR_KMS_CONFIG')
    expect(() => nodeReferences({ file: at })).toThrow('NOT_A_REGULAR_FILE')
  })

  it('a file of 1 MiB is read whole, and one byte more is refused', async () => {
    const { readTextFile } = nodePlatform()
    const at = join(folder, 'long')
    const text = 'é'.repeat(524_288)
    await writeFile(at, text)
    expect(await readTextFile(at)).toBe(text)
    expect(nodeReferences({ file: at })).toBe(text)
    await writeFile(at, `${text}x`)
    await expect(readTextFile(at)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' })
    expect(() => nodeReferences({ file: at })).toThrow('FILE_TOO_LARGE')
  })

  it('an empty file is empty', async () => {
    const at = join(folder, 'empty')
    await writeFile(at, '')
    expect(await nodePlatform().readTextFile(at)).toBe('')
  })
})

describe('nodeReferences', () => {
  it('a token of Vault that was replaced in its file is read when the old one is refused', async () => {
    const clock = { nowMs: 1_767_225_600_000 }
    const vault = createFakeVault({
      keys: [{ name: 'app' }],
      tokens: [{ token: 'hvs.old', ttlSeconds: 60 }, { token: 'hvs.new' }],
      now: () => clock.nowMs,
    })
    await project('hvs.old\n')
    const kms = createKms(
      {
        provider: 'vault-transit',
        endpoint,
        key: 'app',
        auth: { type: 'token', token: { file: path } },
      },
      {
        resolve: nodeReferences,
        network: vault.network,
        runtime: { ...webRuntime, now: () => clock.nowMs },
      },
    )
    const { wraps } = await kms.generateDataKey({ context })
    await project('hvs.new\n')
    clock.nowMs += 61_000
    await kms.unwrapDataKey(wraps, { context })
    await rm(path)
    await kms.unwrapDataKey(wraps, { context })
  })

  it('gives variables and files, and nothing for what is not there', async () => {
    process.env['EDGE_KMS_TEST_VALUE'] = 'value'
    expect(nodeReferences({ env: 'EDGE_KMS_TEST_VALUE' })).toBe('value')
    Reflect.deleteProperty(process.env, 'EDGE_KMS_TEST_VALUE')
    expect(nodeReferences({ env: 'EDGE_KMS_TEST_VALUE' })).toBeUndefined()
    expect(nodeReferences({ file: path })).toBe('b2xk.Ym9keQ.c2lnbg')
    const missing = () =>
      createKms(
        {
          provider: 'vault-transit',
          endpoint: { file: join(folder, 'nothing') },
          key: 'app',
          auth: { type: 'token', token: 'hvs.x' },
        },
        { resolve: nodeReferences },
      )
    expect(await codeOf(() => missing())).toBe('ERR_KMS_CONFIG')
  })
})
