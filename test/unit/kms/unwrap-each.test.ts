import { expect, it } from 'vitest'
import { unwrapEach } from '../../../src/kms/index.ts'
import { turn } from '../../support/fake-world.ts'
import { fail, hang, ScriptedKms, type Step } from '../../support/scripted-kms.ts'

const call = { context: {} }

async function setup(script: readonly Step[]) {
  const kms = new ScriptedKms()
  const { wraps } = await kms.generateDataKey(call)
  kms.made.length = 0
  kms.script = [...script]
  return { kms, items: script.map(() => ({ wraps, context: {} })) }
}

it('one outcome for each item, in order', async () => {
  const { kms, items } = await setup([() => undefined, fail('ERR_DECRYPT_FAILED'), () => undefined])
  const outcomes = await unwrapEach(kms, items, {})
  expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true])
  expect(kms.made.map(({ length }) => length)).toEqual([32, 32])
})

it('an abort wipes what has come, and what still comes', async () => {
  let answer = (): void => undefined
  const late: Step = () => new Promise((resolve) => (answer = resolve))
  const controller = new AbortController()
  const stop: Step = async () => {
    await turn()
    controller.abort(new Error('stop'))
    controller.signal.throwIfAborted()
  }
  const { kms, items } = await setup([() => undefined, late, stop, hang])
  const work = unwrapEach(kms, items, { signal: controller.signal })
  await expect(work).rejects.toThrow('stop')
  expect(kms.made).toHaveLength(1)
  expect(() => kms.made[0]?.length).toThrow(TypeError)
  answer()
  await turn()
  expect(kms.made).toHaveLength(2)
  expect(() => kms.made[1]?.length).toThrow(TypeError)
})

it('R25 no more than six calls are in flight, and all are made', async () => {
  let now = 0
  let most = 0
  const step: Step = async () => {
    now += 1
    most = Math.max(most, now)
    await turn()
    now -= 1
  }
  const { kms, items } = await setup(Array.from({ length: 20 }, () => step))
  const outcomes = await unwrapEach(kms, items, {})
  expect([outcomes.filter(({ ok }) => ok).length, most]).toEqual([20, 6])
})
