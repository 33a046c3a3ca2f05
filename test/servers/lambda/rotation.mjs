/** A rotation as messages of SQS: delivered twice, out of order, to functions that are killed. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { withFunction } from './function-process.mjs'
import { CARDS, idOf, openRotation, textOf } from './rotation-world.mjs'

const TIMEOUT_MS = 30_000
const ACTIONS = [
  'kms:Decrypt',
  'kms:Encrypt',
  'dynamodb:DescribeTable',
  'dynamodb:Scan',
  'dynamodb:UpdateItem',
  'sqs:SendMessage',
]

/** The event of the schedule. */
const scheduled = { time: '2026-11-29T03:00:00Z' }

const start = (place) => withFunction(place, (fn) => fn.invoke(scheduled))

/** The event source mapping of Lambda: invoke, and delete all but the failures. */
async function deliver(rotation, fn, messages, times = 1) {
  let failed = []
  for (let time = 0; time < times; time++) {
    const { batchItemFailures } = await fn.invoke(rotation.eventOf(messages), TIMEOUT_MS)
    failed = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
  }
  for (const message of messages)
    if (!failed.includes(message.MessageId)) await rotation.delete(message)
  return failed
}

/** The policy without one action, and what a step under it must not do. */
async function checkRefused(rotation, action) {
  const label = `rotate-no-${action.replace(':', '-')}`
  const listed = (value) => [value].flat()
  const statements = rotation
    .statementsOf('Rotate')
    .map((one) => ({ ...one, Action: listed(one.Action).filter((name) => name !== action) }))
    .filter(({ Action }) => Action.length > 0)
  const place = await rotation.placeOf('Rotate', label, statements)
  await start(await rotation.placeOf('Start', `start-${label}`))
  const messages = await rotation.receive()
  assert.equal(messages.length, 2)
  const failed = await withFunction(place, (fn) => deliver(rotation, fn, messages))
  const states = (await rotation.receive()).map(({ Body }) => JSON.parse(Body).state)
  if (failed.length === 0) {
    assert.equal(states.length, 2)
    for (const { counts } of states) assert.equal(counts.done, 0, JSON.stringify(counts))
  }
  await rotation.purge()
}

async function checkRun(rotation) {
  await start(await rotation.placeOf('Start', 'rotation-start'))
  await start(await rotation.placeOf('Start', 'rotation-start-again'))
  assert.equal(await rotation.left(), 2, 'the event started a second rotation')
  const place = await rotation.placeOf('Rotate', 'rotation-rotate')
  const seen = []
  let [kills, most, log] = [0, 0, '']
  while ((await rotation.left()) > 0) {
    await withFunction(place, async (fn) => {
      for (let steps = 0; (await rotation.left()) > 0;) {
        most = Math.max(most, await rotation.left())
        const messages = await rotation.receive()
        if (messages.length === 0) await sleep(200)
        if (messages.length === 0) continue
        seen.push(...messages)
        if (kills < 2 && ++steps > 2) {
          kills++
          // The function dies in the middle of the step: nothing is deleted.
          void fn.ask(rotation.eventOf(messages), TIMEOUT_MS)
          await sleep(150)
          return
        }
        assert.deepEqual(await deliver(rotation, fn, messages, 2), [])
      }
      log += fn.log()
    })
  }
  return { seen, kills, most, place, ends: log.match(/"phase":"finished"/g)?.length ?? 0 }
}

export async function checkRotation(check, world) {
  const rotation = await openRotation(world)
  await rotation.seed()
  const actions = rotation.statementsOf('Rotate').flatMap(({ Action }) => Action)
  await check('rotation: its policy names no action that nothing needs', () => {
    // GetItem reads again what another writer was faster to replace.
    assert.deepEqual([...new Set(actions)].toSorted(), [...ACTIONS, 'dynamodb:GetItem'].toSorted())
  })
  for (const action of ACTIONS)
    await check(`rotation: without ${action} a step is refused`, () =>
      checkRefused(rotation, action),
    )

  let run
  await check(
    'rotation: messages twice, functions killed, and every card is under the new key',
    async () => {
      run = await checkRun(rotation)
      assert.equal(run.kills, 2)
      // A function that dies between its send and the delete leaves a message and the next of each source.
      assert.ok(run.most <= 4, `${run.most} messages for two sources`)
      assert.ok(run.ends >= 2)
      const stored = await rotation.stored()
      assert.deepEqual(rotation.keysOf(stored.values()), { [rotation.newArn]: CARDS })
      const cipher = rotation.cipherOf(rotation.newArn)
      const { context } = rotation
      for (let at = 0; at < CARDS; at++) {
        const text = await cipher.decrypt(stored.get(idOf(at)) ?? new Uint8Array(), { context })
        assert.equal(new TextDecoder().decode(text), textOf(at))
      }
      console.log(`rotation on SQS: ${run.seen.length} messages, ${run.kills} kills`)
    },
  )
  await check('rotation: old messages, out of order, change nothing', async () => {
    const before = await rotation.stored()
    const old = [run.seen[4], run.seen[0], run.seen[2]]
    const answer = await withFunction(run.place, (fn) =>
      fn.invoke(rotation.eventOf(old), TIMEOUT_MS),
    )
    assert.deepEqual(answer, { batchItemFailures: [] })
    assert.deepEqual(await rotation.stored(), before)
    await rotation.purge()
  })
  await check('rotation: a message that is not one comes back alone', async () => {
    await rotation.send('{"n":1,"state":{"job":"other"}}', 'other', 'other')
    await rotation.send(run.seen[0].Body, 'good', 'good')
    const messages = await rotation.receive()
    assert.equal(messages.length, 2)
    const failed = await withFunction(run.place, (fn) => deliver(rotation, fn, messages))
    const wrong = messages.find(({ Body }) => Body.includes('other'))
    assert.deepEqual(failed, [wrong.MessageId])
    await rotation.purge()
  })
}
