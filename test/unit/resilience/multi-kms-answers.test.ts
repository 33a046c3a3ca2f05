// A member is code of others: what it answers may be anything.
import { describe, expect, it } from 'vitest'
import { isKmsError, MultiKms, SecretBytes, type WrappedKey } from '../../../src/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'

const call = { context: { 'edge-kms:dk': 'salt.1' } }
const repairs = { note: () => Promise.resolve() }
const foreign: WrappedKey = {
  provider: 'x',
  kekId: 'k',
  kekVersion: '',
  wrapped: new Uint8Array(32),
}

function setup(quorum = 2) {
  const world = new FakeWorld()
  const members = [new ScriptedKms('a'), new ScriptedKms('b')] as const
  const writePolicy = { quorum }
  return {
    world,
    members,
    multi: new MultiKms({ read: members, writePolicy, repairs, ...world.ports }),
  }
}

/** The code of what it rejects with; anything but an error of ours fails the test. */
async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => new Error('no error'),
    (thrown: unknown) => thrown,
  )
  if (!isKmsError(error)) throw error
  expect(error.provider).toBe('a')
  return error.code
}

const nonsense: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 7],
  ['an empty object', {}],
  ['a text for a DEK', { plaintext: 'x', wraps: [], by: {} }],
  ['a DEK alone', { plaintext: SecretBytes.take(new Uint8Array(32)) }],
  ['wraps of nothing', { plaintext: SecretBytes.take(new Uint8Array(32)), wraps: [undefined] }],
]

describe.each(nonsense)('a member that answers %s', (_, answer) => {
  const answering = () => Promise.resolve(answer as never)

  it('fails a write, whatever the quorum', async () => {
    for (const quorum of [1, 2]) {
      const { members, multi } = setup(quorum)
      members[0].generateDataKey = answering
      expect(await codeOf(multi.generateDataKey(call))).toBe('ERR_KMS_RESPONSE_INVALID')
      members[0].wrapDataKey = answering
      const dek = SecretBytes.take(new Uint8Array(32))
      expect(await codeOf(multi.wrapDataKey(dek, call))).toBe('ERR_KMS_RESPONSE_INVALID')
    }
  })

  it('gives way to the next KEK of a read', async () => {
    const { members, multi } = setup()
    const { wraps } = await multi.generateDataKey(call)
    members[0].unwrapDataKey = answering
    expect((await multi.unwrapDataKey(wraps, call)).by.provider).toBe('b')
    expect(await codeOf(multi.unwrapDataKey(wraps.slice(0, 1), call))).toBe(
      'ERR_KMS_RESPONSE_INVALID',
    )
  })

  it('gives way to the next KEK of a batch, for the item', async () => {
    const world = new FakeWorld()
    const members = ['a', 'b'].map((name) => new ScriptedKms(name, { batches: true }))
    const multi = new MultiKms({ read: members, ...world.ports })
    const { wraps } = await multi.generateDataKey(call)
    const [first] = members as [ScriptedKms]
    first.unwrapMany = () => Promise.resolve([{ ok: true, value: answer as never }])
    expect(await multi.unwrapMany([{ wraps, context: {} }], {})).toMatchObject([
      { ok: true, value: { by: { provider: 'b' } } },
    ])
  })

  it('cannot break versions and health', async () => {
    const { members, multi } = setup()
    members[0].currentVersion = answering
    members[0].rotateKey = answering
    members[0].healthCheck = answering
    expect(await codeOf(multi.currentVersion({}))).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(await codeOf(multi.rotateKey({}))).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(await multi.healthCheck({})).toMatchObject({
      healthy: false,
      checks: [
        { provider: 'a', healthy: false, code: 'ERR_KMS_RESPONSE_INVALID' },
        { provider: 'b', healthy: true },
      ],
    })
  })
})

it('wraps under keys of others are not the member\u2019s, and the DEK is wiped', async () => {
  const { members, multi } = setup()
  const plaintext = SecretBytes.take(new Uint8Array(32))
  members[0].generateDataKey = () => Promise.resolve({ plaintext, wraps: [foreign] })
  expect(await codeOf(multi.generateDataKey(call))).toBe('ERR_KMS_RESPONSE_INVALID')
  expect(() => plaintext.length).toThrow(TypeError)
})

it('a health check that rejects is a report on that KEK alone', async () => {
  const { members, multi } = setup()
  members[1].healthCheck = () => Promise.reject(new TypeError('credentials: secret-canary'))
  const report = await multi.healthCheck({})
  expect(report).toMatchObject({
    healthy: false,
    checks: [{ healthy: true }, { provider: 'b', healthy: false, code: 'ERR_KMS_UNAVAILABLE' }],
  })
  expect(JSON.stringify(report)).not.toContain('canary')
})

it('an AbortError that the caller did not ask for gives way to the next KEK', async () => {
  const { members, multi } = setup()
  const { wraps } = await multi.generateDataKey(call)
  members[0].always = () => {
    throw new DOMException('gone', 'AbortError')
  }
  const { signal } = new AbortController()
  expect((await multi.unwrapDataKey(wraps, { ...call, signal })).by.provider).toBe('b')
})

describe('rewrap', () => {
  it.each([0, 1])('with KEK %d down fails, whatever the quorum, and notes nothing', async (i) => {
    const notes: unknown[] = []
    const log = { note: (missing: unknown) => Promise.resolve(void notes.push(missing)) }
    const members = [new ScriptedKms('a'), new ScriptedKms('b')] as const
    const writePolicy = { quorum: 1 }
    const world = new FakeWorld()
    const multi = new MultiKms({ read: members, writePolicy, repairs: log, ...world.ports })
    const { wraps } = await multi.generateDataKey(call)
    ;(members[i] as ScriptedKms).always = fail('ERR_KMS_UNAVAILABLE')
    const outcome = await world.settled(multi.rewrapDataKey(wraps, call))
    expect(outcome).toMatchObject({ reason: { code: 'ERR_KMS_UNAVAILABLE' } })
    expect(notes).toEqual([])
    for (const { made } of members)
      for (const secret of made.slice(1)) expect(() => secret.length).toThrow(TypeError)
  })

  it('passes over a wrap that opens to something else than 32 bytes', async () => {
    const { multi, members } = setup()
    const { wraps } = await multi.generateDataKey(call)
    const planted = { provider: 'a', kekId: 'k', kekVersion: '', wrapped: new Uint8Array(16) }
    const made = await multi.rewrapDataKey([planted, ...wraps], call)
    expect(made.map(({ wrapped }) => wrapped.length)).toEqual([32, 32])
    await expect(multi.rewrapDataKey([planted], call)).rejects.toMatchObject({
      code: 'ERR_DECRYPT_FAILED',
    })
    expect(members[0].made.at(-1)).toBeDefined()
    expect(() => members[0].made.at(-1)?.length).toThrow(TypeError)
  })
})
