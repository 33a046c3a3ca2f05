import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { nodeConfigFile, nodeReferences } from '../../../adapters/node/index.ts'
import { createKms, type KmsConfig } from '../../../src/config/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'edge-kms-config-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function file(text: string): string {
  const path = join(folder, `${crypto.randomUUID()}.json`)
  writeFileSync(path, text)
  return path
}

describe('nodeConfigFile', () => {
  it('gives createKms the configuration of a file, with or without a byte order mark', async () => {
    const secret = file('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=')
    const text = JSON.stringify({
      provider: 'local',
      versions: [{ version: 1, key: { file: secret } }],
    })
    for (const bom of ['', '\uFEFF']) {
      const config = nodeConfigFile<KmsConfig>(file(bom + text))
      const kms = createKms(config, { resolve: nodeReferences })
      expect((await kms.healthCheck({})).healthy).toBe(true)
    }
  })

  it.each([
    ['no file', () => join(folder, 'none.json'), 'cannot be read'],
    ['a file that is not JSON', () => file('secret-canary'), 'must be JSON, got other text'],
    [
      'a file that is too long',
      () => file(JSON.stringify('x'.repeat(1_048_576))),
      'must have at most 1 MiB, got more',
    ],
    [
      'a file with fewer characters than bytes that is too long',
      () => file(JSON.stringify('é'.repeat(600_000))),
      'must have at most 1 MiB, got more',
    ],
    ['a folder', () => folder, 'must be a regular file'],
    ['a device without end', () => '/dev/zero', 'must be a regular file'],
    ['a number, which would be a descriptor', () => 0 as never, 'path must be the path of a file'],
    ['undefined', () => undefined as never, 'path must be the path of a file'],
  ])('refuses %s, and repeats nothing of it', (_, path, says) => {
    let thrown: unknown
    try {
      nodeConfigFile(path())
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect(String(thrown)).toContain(says)
    expect(String(thrown)).not.toContain('canary')
  })
})
