// Calls of a manager with options that no call takes, and a KMS that does not answer as it should.
import { describe, expect, it } from 'vitest'
import type { KeyManagementService } from '../../../src/index.ts'
import { KeyRotationManager } from '../../../src/rotation/key-rotation-manager.ts'
import { Clock, kmsAt, StagedKms } from './fixture.ts'
import { encrypted, tableOf } from './tables.ts'

async function managerOf(kms: KeyManagementService = kmsAt(2)) {
  const clock = new Clock()
  return new KeyRotationManager({ kms, sources: [await tableOf(1)], ...clock.ports })
}

const CALLS = {
  rotateMasterKey: (manager, options) => manager.rotateMasterKey(options),
  rewrapDek: async (manager, options) => manager.rewrapDek(await encrypted(1), options),
  rewrapDeksBatch: async (manager, options) =>
    manager.rewrapDeksBatch([await encrypted(1)], options),
  isCurrentVersion: async (manager, options) =>
    manager.isCurrentVersion(await encrypted(1), options),
  census: (manager, options) => manager.census(options),
  plan: (manager, options) => manager.plan(options),
  dryRun: (manager, options) => manager.dryRun(options),
  pause: (manager, options) => manager.pause(options),
  resume: (manager, options) => manager.resume(options),
  status: (manager, options) => manager.status(options),
  fingerprint: (manager, options) => manager.fingerprint(options),
} satisfies Record<string, (manager: KeyRotationManager, options: never) => Promise<unknown>>

const REFUSED = [
  null,
  'now',
  { singal: new AbortController().signal },
  { signal: new AbortController() },
  new Map([['signal', 1]]),
]

describe.each(Object.entries(CALLS))('%s', (_name, call) => {
  it.each(REFUSED)('refuses options such as %j', async (options) => {
    await expect(call(await managerOf(), options as never)).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
    })
  })
})

it.each([null, 'ek1.x', new Uint8Array(4)])(
  'a batch refuses %j in place of a list',
  async (list) => {
    const manager = await managerOf()
    await expect(manager.rewrapDeksBatch(list as never)).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
    })
  },
)

it('resume refuses a text in place of a flag', async () => {
  const manager = await managerOf()
  await expect(manager.resume({ acceptFailures: 'no' as never })).rejects.toMatchObject({
    code: 'ERR_KMS_CONFIG',
  })
})

describe('rotateMasterKey of a KMS of others', () => {
  const withRotate = (rotateKey: () => Promise<unknown>): KeyManagementService => {
    const kms = new StagedKms(kmsAt(2))
    return Object.assign(kms, { rotateKey })
  }

  it('types an error without its words', async () => {
    const manager = await managerOf(withRotate(() => Promise.reject(new Error('token canary'))))
    const error = await manager.rotateMasterKey().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_KMS_UNAVAILABLE' })
    expect(String(error)).not.toContain('canary')
  })

  it.each([undefined, [], [{ kekId: 'app' }], 'version 2'])(
    'refuses the answer %j',
    async (answer) => {
      const manager = await managerOf(withRotate(() => Promise.resolve(answer)))
      await expect(manager.rotateMasterKey()).rejects.toMatchObject({
        code: 'ERR_KMS_RESPONSE_INVALID',
      })
    },
  )

  it('ends a call that is never answered', async () => {
    const kms = withRotate(() => new Promise(() => undefined))
    const manager = new KeyRotationManager({ kms, sources: [await tableOf(1)], callTimeoutMs: 100 })
    await expect(manager.rotateMasterKey()).rejects.toMatchObject({ code: 'ERR_KMS_TIMEOUT' })
  })
})
