import { isKmsError } from '../../../src/index.ts'
import type { KeyLifecycle } from '../../../src/kms/index.ts'
import { KeyRotationManager } from '../../../src/rotation/key-rotation-manager.ts'
import { Random } from '../random.ts'
import { EVERYWHERE } from '../scope.ts'
import { OLD_VERSION } from './plan.ts'
import { stateStoreOf } from './states.ts'
import type { RotationWorld } from './world.ts'

const TRIES = 6

/** Asks again and again to retire the first version, and goes when it is retired. */
export function retireOften(world: RotationWorld, fromMs: number): void {
  const { plan, scheduler, servers } = world
  const random = new Random(plan.seed, 'retirer')
  const [server] = servers
  if (server === undefined) return
  const writersMs = plan.encryptForMs + plan.lagMs + plan.flapMs
  const lifecycle: KeyLifecycle = {
    provider: server.provider,
    stateOf: ({ kekVersion }) =>
      Promise.resolve(server.disabledVersions.has(kekVersion) ? 'disabled' : 'enabled'),
    disable({ kekVersion }) {
      world.log('retirer', `disables ${kekVersion}`)
      world.judge.disables(kekVersion)
      server.disabledVersions.add(kekVersion)
      return Promise.resolve()
    },
    enable: () => Promise.reject(new Error('nothing here calls it')),
    scheduleDestruction: () => Promise.reject(new Error('nothing here calls it')),
    cancelDestruction: () => Promise.reject(new Error('nothing here calls it')),
  }
  const ask = (left: number): void => {
    const process = world.birth()
    process.isolate.hear()
    if (left > 1 && random.chance(0.2)) process.diesAt = random.scale(1, 40)
    const again = (): void => {
      scheduler.after(random.scale(1_000, writersMs), EVERYWHERE, () => {
        if (left > 1) ask(left - 1)
      })
    }
    process.onCrash = again
    const manager = new KeyRotationManager({
      ...world.rotationOf(process, 'retire'),
      job: 'retire',
      states: stateStoreOf(world.states, process),
    })
    const version = { provider: server.provider, kekId: 'kek', kekVersion: OLD_VERSION }
    const writers = { ttlMs: 0, maxStaleMs: 0, encryptForMs: writersMs }
    manager.retire({ version, lifecycle, writers, proof: plan.proof, acceptCorrupt: true }).then(
      (result) => {
        world.log('retirer', result.status)
        if (result.status !== 'disabled') again()
      },
      (error: unknown) => {
        world.log('retirer', `fails ${String((error as { code?: string }).code)}`)
        // It is current as far as this process knows.
        const isEarly = isKmsError(error) && error.code === 'ERR_KMS_CONFIG'
        if (!isKmsError(error) || (!error.retryable && !isEarly))
          world.judge.blame('throws', `retire: ${String((error as Error).stack)}`)
        again()
      },
    )
  }
  scheduler.after(fromMs, EVERYWHERE, () => {
    ask(TRIES)
  })
}
