/** The members that every fake's faults have. */
export interface ScriptedFault {
  readonly kind: string
  /** Only calls of this operation; any by default. */
  readonly operation?: string
  /** How many calls meet it, 1 by default; `Infinity` until the script is cleared. */
  readonly times?: number
}

/** Faults that wait for their calls. */
export interface FaultQueue<F extends ScriptedFault> {
  /** Adds a fault. Each call meets the first that is for its operation. */
  push(...faults: readonly F[]): void
  /** Takes all faults back. */
  clear(): void
  /** Faults that have not been used up. */
  readonly pending: readonly F[]
}

/** The script, in the order in which it was written. */
export class FaultScript<F extends ScriptedFault> implements FaultQueue<F> {
  #lines: { readonly fault: F; left: number }[] = []

  push(...faults: readonly F[]): void {
    for (const fault of faults) this.#lines.push({ fault, left: fault.times ?? 1 })
  }

  clear(): void {
    this.#lines = []
  }

  get pending(): readonly F[] {
    return this.#lines.map(({ fault, left }) => ({ ...fault, times: left }))
  }

  /** The fault that a call of this operation meets. */
  take(operation: string): F | undefined {
    const line = this.#lines.find(
      ({ fault }) => fault.operation === undefined || fault.operation === operation,
    )
    if (line === undefined) return undefined
    line.left--
    if (line.left <= 0) this.#lines = this.#lines.filter((one) => one !== line)
    return line.fault
  }

  /** Puts a fault back for the next call: this one had nothing that it could change. */
  giveBack(fault: F): void {
    const line = this.#lines.find((one) => one.fault === fault)
    if (line === undefined) this.#lines.unshift({ fault, left: 1 })
    else line.left++
  }
}
