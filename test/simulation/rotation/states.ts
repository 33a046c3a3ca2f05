import type { RotationState } from '../../../src/rotation/rotation-state.ts'
import type { RotationStateStore } from '../../../src/rotation/state-store.ts'
import type { Random } from '../random.ts'
import type { Remote } from '../remote.ts'
import type { Process } from './process.ts'

/** Hears of each state that is saved, when it is. */
export type SaveWitness = (
  key: string,
  before: RotationState | undefined,
  after: RotationState,
) => void

/** The store in which engines keep the states of jobs. */
export class StateTable {
  readonly remote: Remote
  readonly #random: Random
  readonly #rewinds: number
  readonly #texts = new Map<string, string[]>()
  onSave: SaveWitness = () => undefined

  constructor(remote: Remote, random: Random, rewinds: number) {
    this.remote = remote
    this.#random = random
    this.#rewinds = rewinds
  }

  /** Returns the texts that were under a key, the newest last. */
  past(key: string): readonly string[] {
    return this.#texts.get(key) ?? []
  }

  /** Returns the last text; now and then an older one, where the engine may. */
  load(key: string): string | undefined {
    const texts = this.past(key)
    const rewinds = this.#rewinds > 0 && texts.length > 0 && this.#random.chance(this.#rewinds)
    return rewinds ? this.#random.pick(texts) : texts.at(-1)
  }

  /** @param expected - of a store that compares; `null`: whatever is there */
  save(key: string, expected: string | undefined | null, from: string | undefined, to: string) {
    const texts = this.#texts.get(key) ?? []
    if (expected !== null && texts.at(-1) !== expected) return false
    this.#texts.set(key, [...texts.slice(-40), to])
    if (key.startsWith('job-')) this.onSave(key, stateOf(from), stateOf(to) as RotationState)
    return true
  }
}

function stateOf(text: string | undefined): RotationState | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as RotationState)
}

/** Returns the store as the manager of one process sees it. */
export function stateStoreOf(states: StateTable, process: Process): RotationStateStore {
  const call = <T>(signal: AbortSignal | undefined, work: () => T): Promise<T> =>
    process.leave(() => states.remote.call(process.isolate, signal, work))
  return {
    load: (key, { signal }) => call(signal, () => states.load(key)),
    save: (key, expected, next, { signal }) =>
      call(signal, () => states.save(key, expected, expected, next)),
  }
}
