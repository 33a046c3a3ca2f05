import { describe, expect, it } from 'vitest'
import { KmsError, type KmsErrorCode } from '../../../src/errors.ts'
import { SecretBytes } from '../../../src/index.ts'
import { firstToOpen, type Opener, shareOf, worse } from '../../../src/resilience/first-to-open.ts'
import { FakeWorld } from '../../support/fake-world.ts'

const call = { context: {} }

/** Openers that take so many milliseconds, and what they were asked. */
function setup(tookMs: readonly number[]) {
  const world = new FakeWorld()
  const asked: string[] = []
  const openers = tookMs.map((ms, i): Opener => {
    const provider = `kek-${i}`
    return {
      provider,
      landed: () => undefined,
      open: async () => {
        asked.push(provider)
        await new Promise<void>((resolve) => {
          world.after(ms, () => {
            resolve()
          })
        })
        const by = { provider, kekId: 'k', kekVersion: '', wrapped: new Uint8Array(1) }
        return { plaintext: SecretBytes.take(new Uint8Array(32)), by }
      },
    }
  })
  return { world, asked, openers }
}

describe('a hedge', () => {
  it('that was not paid for is not asked for again in this opening', async () => {
    const { world, asked, openers } = setup([500, 10])
    let pays = 0
    const plan = { ports: world.ports, hedgeAfterMs: 50, payHedge: () => ++pays > 1 }
    const outcome = await world.settled(firstToOpen(openers, call, plan))
    expect(outcome).toMatchObject({ value: { by: { provider: 'kek-0' } } })
    expect([pays, asked]).toEqual([1, ['kek-0']])
  })

  it('goes out each time that nobody has answered for so long, and no timer stays behind', async () => {
    const { world, asked, openers } = setup([500, 500, 10])
    const plan = { ports: world.ports, hedgeAfterMs: 50, payHedge: () => true }
    const startMs = world.now()
    const outcome = await world.settled(firstToOpen(openers, call, plan))
    expect(outcome).toMatchObject({ value: { by: { provider: 'kek-2' } } })
    expect(world.now() - startMs).toBe(110)
    expect(asked).toEqual(['kek-0', 'kek-1', 'kek-2'])
    await world.advance(1_000)
    expect(world.timers).toBe(0)
  })
})

it.each([
  [undefined, 3, 30_000],
  [undefined, 0, 30_000],
  [100, 0, undefined],
  [100, 1, 50],
  [100, 2, 33],
  [1, 5, 1],
  [-5, 1, 1],
] as const)('with %s ms left and %s after it, an opener gets %s', (leftMs, after, share) => {
  const world = new FakeWorld()
  const deadlineMs = leftMs === undefined ? undefined : world.now() + leftMs
  expect(shareOf({ deadlineMs }, after, world.ports)).toBe(share)
})

it.each<[KmsErrorCode, KmsErrorCode, KmsErrorCode]>([
  ['ERR_ENVELOPE_UNKNOWN_KEY', 'ERR_DECRYPT_FAILED', 'ERR_DECRYPT_FAILED'],
  ['ERR_DECRYPT_FAILED', 'ERR_KMS_ACCESS_DENIED', 'ERR_KMS_ACCESS_DENIED'],
  ['ERR_DECRYPT_FAILED', 'ERR_KMS_UNAVAILABLE', 'ERR_KMS_UNAVAILABLE'],
  ['ERR_KMS_ACCESS_DENIED', 'ERR_KMS_UNAVAILABLE', 'ERR_KMS_UNAVAILABLE'],
  ['ERR_KMS_ACCESS_DENIED', 'ERR_KMS_KEY_DISABLED', 'ERR_KMS_ACCESS_DENIED'],
  ['ERR_KMS_ACCESS_DENIED', 'ERR_DECRYPT_FAILED', 'ERR_KMS_ACCESS_DENIED'],
  ['ERR_KMS_THROTTLED', 'ERR_KMS_UNAVAILABLE', 'ERR_KMS_THROTTLED'],
  ['ERR_KMS_THROTTLED', 'ERR_DECRYPT_FAILED', 'ERR_KMS_THROTTLED'],
])('after %s and then %s, %s is told', (held, next, told) => {
  expect(worse(new KmsError(held), new KmsError(next)).code).toBe(told)
})
