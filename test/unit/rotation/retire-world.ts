import type { KekVersion } from '../../../src/index.ts'
import type { KeyLifecycle, KeyVersionState } from '../../../src/kms/index.ts'
import { KeyRotationManager } from '../../../src/rotation/key-rotation-manager.ts'
import type { KeyRotationManagerOptions } from '../../../src/rotation/manager-options.ts'
import type { RetireOptions } from '../../../src/rotation/retire-options.ts'
import { Clock, kmsAt } from './fixture.ts'
import { tableOf } from './tables.ts'

export const version: KekVersion = { provider: 'local', kekId: 'app', kekVersion: '1' }
export const HOUR_MS = 3_600_000
export const WEEK_MS = 7 * 24 * HOUR_MS

/** A lifecycle of which a test decides everything. */
export class Lifecycle implements KeyLifecycle {
  readonly provider = 'local'
  state: KeyVersionState = 'enabled'
  readonly calls: string[] = []
  lastUsed: number | undefined

  stateOf = () => Promise.resolve(this.state)
  disable = () => this.#to('disabled')
  enable = () => this.#to('enabled')
  lastUsedAtMs = () => Promise.resolve(this.lastUsed)
  cancelDestruction = () => this.#to('disabled')
  scheduleDestruction = async () => {
    if (this.state !== 'disabled') throw new Error('only a disabled version is destroyed')
    await this.#to('pending-destruction')
    return { destroyAtMs: 42 }
  }

  #to(state: KeyVersionState): Promise<void> {
    this.calls.push(state)
    this.state = state
    return Promise.resolve()
  }
}

/** Three rows under version 1 while version 2 is current, a clock, and a lifecycle. */
export async function world(options: Partial<KeyRotationManagerOptions> = {}, rows = 3) {
  const source = await tableOf(rows)
  const clock = new Clock()
  const lifecycle = new Lifecycle()
  const manager = new KeyRotationManager({
    kms: kmsAt(2),
    sources: [source],
    pageSize: 2,
    ...clock.ports,
    ...options,
  })
  const retire = (more: Partial<RetireOptions> = {}) =>
    manager.retire({ version, lifecycle, ...more })
  const later = (ms: number): void => void (clock.nowMs += ms)
  return { source, clock, lifecycle, manager, retire, later }
}
