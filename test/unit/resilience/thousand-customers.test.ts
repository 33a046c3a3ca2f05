import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  composeKms,
  EnvelopeCipher,
  type KeyManagementService,
  kmsByContext,
} from '../../../src/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'

const CUSTOMERS = 1_000
const names = Array.from({ length: CUSTOMERS }, (_, i) => `customer-${String(i)}`)

function collect(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

describe('1,000 customers in one process', () => {
  it('holds maxEntries stacks, and memory stays flat over many rounds', async () => {
    const world = new FakeWorld()
    const kms = kmsByContext({
      keyFor: ({ tenant }) => tenant,
      create: (name) => composeKms(new ScriptedKms(name), world.ports),
      maxEntries: 100,
      ...world.ports,
    })
    const round = async (): Promise<number> => {
      for (const tenant of names) await kms.generateDataKey({ context: { tenant } })
      world.events.length = 0
      collect()
      return getHeapStatistics().used_heap_size
    }
    await round()
    const before = await round()
    for (let i = 0; i < 3; i++) await round()
    const grownKiB = ((await round()) - before) / 1_024
    expect(kms.stats().entries).toBe(100)
    expect(world.timers).toBe(0)
    // 4,000 more stacks were made: held, they would be some 20 MiB.
    expect(grownKiB).toBeLessThan(2_048)
  })

  it('memory stays flat under a cipher that holds 100 data keys and stacks of 1,000 customers', async () => {
    const program = fileURLToPath(new URL('../../support/customers-memory.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program])
    const { grownKiB, ...held } = JSON.parse(stdout) as { grownKiB: number }
    expect(held).toEqual({ entries: 100, evictions: 3_900, dataKeys: 100 })
    // 2,000 data keys and stacks came and went: held, they would be some 10 MiB.
    expect(grownKiB).toBeLessThan(1_024)
  }, 60_000)

  it('the outage of one opens its circuit alone; all others are served meanwhile', async () => {
    const world = new FakeWorld()
    const servers = new Map(names.map((name) => [name, new ScriptedKms(name)]))
    const server = (name: string): ScriptedKms => servers.get(name) as ScriptedKms
    const kms = kmsByContext({
      keyFor: ({ tenant }) => tenant,
      create: (name): KeyManagementService =>
        composeKms(server(name), { ...world.ports, retry: false }),
      ...world.ports,
    })
    const ask = (tenant: string): Promise<unknown> => kms.generateDataKey({ context: { tenant } })
    server('customer-7').always = fail('ERR_KMS_UNAVAILABLE')
    for (let i = 0; i < 20; i++) await ask('customer-7').catch(() => undefined)
    // The circuit of this customer is open: five calls reached its KMS.
    expect(server('customer-7').calls).toHaveLength(5)
    for (const name of names) if (name !== 'customer-7') await ask(name)
    const others = names.filter((name) => name !== 'customer-7')
    expect(others.filter((name) => server(name).calls.length !== 1)).toEqual([])
    const opened = world.events.filter(({ type }) => type === 'circuit')
    expect(opened).toHaveLength(1)
  })

  it('a disabled key of one refuses its data, and no other data in the same page', async () => {
    const servers = new Map(names.map((name) => [name, new ScriptedKms(name)]))
    const make = (): EnvelopeCipher =>
      new EnvelopeCipher({
        kms: kmsByContext({
          keyFor: ({ tenant }) => tenant,
          create: (name) => composeKms(servers.get(name) as ScriptedKms),
        }),
      })
    const plaintext = new Uint8Array(16)
    const items = await Promise.all(
      names.map(async (tenant) => {
        const context = { tenant }
        return { context, envelope: await make().encrypt(plaintext, { context }) }
      }),
    )
    ;(servers.get('customer-500') as ScriptedKms).always = fail('ERR_KMS_KEY_DISABLED')
    const outcomes = await make().decryptMany(items)
    const failed = outcomes.flatMap((outcome, i) =>
      outcome.ok ? [] : [`${String(i)} ${outcome.error.code}`],
    )
    expect(failed).toEqual(['500 ERR_KMS_KEY_DISABLED'])
  })
})
