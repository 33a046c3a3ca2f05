// Two processes that start from one snapshot share all memory from before it. Node restores a
// startup snapshot for real, so the first half does that. A platform that clones a whole isolate,
// CryptoKeys included, cannot be driven from here: the second half clones by playing one history
// twice, with one generator until the snapshot and two of them after it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import { fromHex, toHex, utf8 } from '../../vectors/hex.ts'
import { FakeRuntime, OPTIONS, PlainKms, sequence, through } from '../wire/fixture.ts'

/** Everything in messages that must be drawn anew: data keys, salts, nonces. */
function drawn(messages: readonly Uint8Array[]): Set<string> {
  const values = new Set<string>()
  for (const message of messages) {
    const { kind, commitment, headBytes } = EncryptedEnvelope.parse(message)
    values.add(`data key ${toHex(commitment)}`)
    if (!kind.endsWith('reference')) values.add(`salt ${toHex(message.subarray(4, 36))}`)
    // Of a record: prefix and suffix. Of a stream: its salt. Both have 24 bytes.
    values.add(`nonce ${toHex(message.subarray(headBytes, headBytes + 24))}`)
  }
  return values
}

const common = (a: Set<string>, b: Set<string>): string[] => [...a].filter((one) => b.has(one))

describe('R13 a startup snapshot of Node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-kms-snapshot-'))
  const script = join(folder, 'entry.cjs')
  const blob = join(folder, 'warm.blob')

  function node(flags: string[], env: NodeJS.ProcessEnv = {}) {
    const started = spawnSync(process.execPath, ['--snapshot-blob', blob, ...flags], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    })
    return { ...started, messages: () => (JSON.parse(started.stdout) as string[]).map(fromHex) }
  }
  const buildFlags = ['--expose-gc', '--build-snapshot', script]

  beforeAll(async () => {
    const entry = new URL('../../support/snapshot-entry.ts', import.meta.url).pathname
    const outfile = { bundle: true, platform: 'node', format: 'cjs', outfile: script } as const
    await build({ entryPoints: [entry], logLevel: 'silent', ...outfile })
  })
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  it('W5.7: two restores of one warmed and cleared state share no data key, salt or nonce', () => {
    const built = node(buildFlags)
    expect(built.status, built.stderr).toBe(0)
    const restores = [node([]), node([])]
    for (const { status, stderr } of restores) expect(status, stderr).toBe(0)
    const sets = [built, ...restores].map((one) => drawn(one.messages()))
    // Two contexts: two data keys with their salts, and a nonce for each of five messages.
    for (const set of sets) expect(set.size).toBe(2 + 2 + 5)
    for (const [i, a] of sets.entries()) {
      for (const b of sets.slice(i + 1)) expect(common(a, b)).toEqual([])
    }
  })

  it('R13 without clear() there is no snapshot: so after it no CryptoKey was left', () => {
    const { status, stdout } = node(buildFlags, { SNAPSHOT_KEEPS_KEYS: '1' })
    expect(status).not.toBe(0)
    // V8 lists what it could not serialise.
    expect(stdout).toContain('CryptoKey')
  })
})

describe('R13 a clone of a whole isolate', () => {
  /** From here on this clone draws its own values. */
  class ClonedRuntime extends FakeRuntime {
    clone: number | undefined

    override randomFill(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
      super.randomFill(bytes)
      if (this.clone !== undefined) bytes[bytes.length - 1] = this.clone
      return bytes
    }
  }

  async function warmed(clone: number): Promise<{
    cipher: EnvelopeCipher
    before: Uint8Array[]
    runtime: ClonedRuntime
    kms: PlainKms
  }> {
    const [kms, runtime] = [new PlainKms(), new ClonedRuntime()]
    const cipher = new EnvelopeCipher({ kms, runtime })
    const before = await use(cipher)
    runtime.clone = clone
    kms.dek = sequence(32, clone)
    return { cipher, before, runtime, kms }
  }

  async function use(cipher: EnvelopeCipher): Promise<Uint8Array[]> {
    const plaintext = utf8('4111 1111')
    return [
      await cipher.encrypt(plaintext, OPTIONS),
      await cipher.encrypt(plaintext, OPTIONS),
      await through(cipher.encryptStream(OPTIONS), plaintext),
    ]
  }

  it('R13 the two halves are clones: until the snapshot all is equal', async () => {
    const [one, two] = [await warmed(101), await warmed(102)]
    expect(one.before.map(toHex)).toEqual(two.before.map(toHex))
  })

  it('W5.7: two clones that clear() first share no data key, salt or nonce', async () => {
    const clones = [await warmed(101), await warmed(102)]
    const before = drawn(clones[0]!.before)
    const after: Set<string>[] = []
    for (const { cipher } of clones) {
      cipher.clear()
      after.push(drawn(await use(cipher)))
    }
    expect(common(after[0]!, after[1]!)).toEqual([])
    for (const set of after) expect(common(before, set)).toEqual([])
  })

  it('R13 two clones that do not share the data key from before, but no nonce: none is kept', async () => {
    const clones = [await warmed(101), await warmed(102)]
    const after: Set<string>[] = []
    for (const { cipher } of clones) after.push(drawn(await use(cipher)))
    const shared = common(after[0]!, after[1]!)
    expect(shared.map((one) => one.replace(/ [0-9a-f]+$/, '')).toSorted()).toEqual([
      'data key',
      'salt',
    ])
  })
})
