import { EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import { Random } from '../random.ts'
import { Scheduler } from '../scheduler.ts'
import { Remote } from '../remote.ts'
import { tenantOf } from './judge.ts'
import { DirectKms, KekServer } from './kek-server.ts'
import type { Planted } from './plan.ts'
import type { RotationWorld } from './world.ts'

type Bytes = Uint8Array<ArrayBuffer>
type Maker = (id: string) => Bytes | Promise<Bytes>

const TENANTS = 3

/** Fills the table under the first version, with foreign and damaged values among its rows. */
export async function fill(world: RotationWorld): Promise<void> {
  const { plan, judge, servers, table } = world
  const random = new Random(plan.seed, 'rows')
  const runtime = {
    now: () => world.scheduler.nowMs,
    randomFill: (bytes: Bytes) => random.fill(bytes),
  }
  const first = servers[0] as KekServer
  const cipherOf = (server: KekServer, cache: boolean): EnvelopeCipher => {
    const kms = new DirectKms(server)
    const keys = cache ? {} : ({ cache: false } as const)
    return new EnvelopeCipher({ kms, requiredContextKeys: ['tenant'], runtime, ...keys })
  }
  const [shared, single] = [cipherOf(first, true), cipherOf(first, false)]
  const reuse = random.pick([0, 0, 0.5])
  const encrypt = (cipher: EnvelopeCipher, id: string, plaintext: Bytes): Promise<Bytes> =>
    cipher.encrypt(plaintext, { context: { tenant: tenantOf(id) } })
  for (let i = 0; i < plan.records; i++) {
    const id = idOf(random)
    const plaintext = random.fill(new Uint8Array(8))
    const cipher = random.chance(reuse) ? shared : single
    table.set(id, await encrypt(cipher, id, plaintext), -Infinity)
    judge.truth.set(id, plaintext)
  }
  const own = [...judge.truth.keys()].sort()
  const unknown = cipherOf(serverOf('sim-z', world), false)
  const makers: Readonly<Record<Planted, Maker>> = {
    foreign: () => new TextEncoder().encode(`plain ${String(random.next())}`),
    torn: async (id) => (await encrypt(single, id, new Uint8Array(8))).subarray(0, 60).slice(),
    broken: async (id) => broken(await encrypt(single, id, new Uint8Array(8))),
    // Somebody copies a row of another tenant into this one.
    moved: (id) =>
      table.get(own.find((one) => tenantOf(one) !== tenantOf(id)) ?? '') ?? new Uint8Array([1]),
    unknown: (id) => encrypt(unknown, id, new Uint8Array(8)),
  }
  for (const name of Object.keys(makers) as Planted[])
    for (let i = plan.planted[name]; i > 0; i--) {
      const id = idOf(random)
      const value = await makers[name](id)
      table.set(id, value, -Infinity)
      judge.planted.set(id, value.length === 1 ? 'foreign' : name)
    }
}

/** Returns the id of a new row, anywhere in the table. */
export function idOf(random: Random): string {
  return `${String(random.uint32()).padStart(10, '0')}-t${String(random.int(1, TENANTS))}`
}

/** One byte of the wrap is another one. */
function broken(envelope: Bytes): Bytes {
  const [wrap] = EncryptedEnvelope.parse(envelope).wraps
  const at = Buffer.from(envelope).indexOf(Buffer.from(wrap?.wrapped ?? []))
  envelope[at] = (envelope[at] ?? 0) ^ 1
  return envelope
}

/** A KMS of somebody else. */
function serverOf(name: string, { plan }: RotationWorld): KekServer {
  const random = new Random(plan.seed, name)
  return new KekServer(name, new Remote(name, new Scheduler(0), random, []), random, random)
}
