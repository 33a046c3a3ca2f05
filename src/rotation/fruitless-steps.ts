import { KmsError } from '../errors.ts'
import type { RotationState } from './rotation-state.ts'
import type { StepResult } from './step-result.ts'

/** Counts the steps in a row without progress, so that a run does not continue for ever. */
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
    // The first sweep continues after an outage: that is progress, and it ends.
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

  /** @throws KmsError the error that ended the last of them, if there are too many */
  demandFewer(than: number): void {
    if (this.#error !== undefined && this.#steps >= than) throw this.#error
  }
}

function lost(): KmsError {
  const message =
    'sweep after sweep, every swap is lost: other writers replace the values, or swap compares wrongly'
  return new KmsError('ERR_STORE_CONFLICT', { message, retryable: true })
}
