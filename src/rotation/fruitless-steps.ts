import { KmsError } from '../errors.ts'
import type { RotationState } from './rotation-state.ts'
import type { StepResult } from './step-result.ts'

/** Counts the steps of a run in a row that came no further, so that a run does not go on for ever. */
export class FruitlessSteps {
  #steps = 0
  #error: KmsError | undefined
  #sweep = ''

  /** Notes a step from this state. */
  add(from: RotationState, { outage, passed, counts }: StepResult): void {
    if (outage !== undefined) {
      this.#steps += 1
      this.#error = outage.error
      return
    }
    // The first sweep goes on behind an outage: that is some way, and it ends.
    if (counts.done > 0 || counts.records > 0) {
      this.#steps = 0
      return
    }
    const error = passed?.error ?? (counts['lost-race'] > 0 ? lost() : undefined)
    const at = from.sources.find(({ done }) => !done)
    const sweep = `${at?.name ?? ''} ${String(at?.sweep)}`
    if (error === undefined || sweep === this.#sweep) return
    this.#steps += 1
    this.#error = error
    this.#sweep = sweep
  }

  /** @throws KmsError what ended the last of them, if there are so many */
  demandFewer(than: number): void {
    if (this.#error !== undefined && this.#steps >= than) throw this.#error
  }
}

function lost(): KmsError {
  const message =
    'sweep after sweep, every swap is lost: other writers replace the values, or swap compares wrongly'
  return new KmsError('ERR_STORE_CONFLICT', { message, retryable: true })
}
