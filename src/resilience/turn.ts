import type { KmsSignalOptions } from '../kms/index.ts'

const turns = /* @__PURE__ */ new WeakMap<KmsSignalOptions, number>()

/** A call waits here for its turn: until then nothing is known of the KMS by it. */
export function waitsForTurn(options: KmsSignalOptions): void {
  turns.set(options, Infinity)
}

/** Its turn has come: from now on it is the KMS that takes its time. */
export function hasTurn(options: KmsSignalOptions, nowMs: number): void {
  turns.set(options, nowMs)
}

/** Since when the KMS has had this call: Infinity, if it has not; `undefined`, if it never waited. */
export function turnOf(options: KmsSignalOptions): number | undefined {
  return turns.get(options)
}
