import {
  EnvelopeCipher,
  type EnvelopeCipherOptions,
  InterceptedKms,
  type KeyManagementService,
  type KmsCall,
  type KmsSignalOptions,
  type NextCall,
} from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import type {
  RecordChange,
  RecordPage,
  RotationRecord,
  StoredValue,
  SwapOutcome,
  ValueSource,
} from '../../../src/rotation/record-source.ts'
import type { RotationStep } from '../../../src/rotation/rotation-step.ts'
import type { StepBudget, StepResult } from '../../../src/rotation/step-result.ts'
import type { RotationState } from '../../../src/rotation/rotation-state.ts'
import { newRotationState } from '../../../src/rotation/state.ts'
import { Clock, START_MS } from './clock.ts'

export { Clock, START_MS }

const KEYS = Array.from({ length: 8 }, () => crypto.getRandomValues(new Uint8Array(32)))

/** A local KMS that has the versions up to this one. */
export function kmsAt(version: number, kekId = 'app', least = 1): KeyManagementService {
  const versions = KEYS.slice(least - 1, version).map((key, i) => ({ version: least + i, key }))
  return createLocalKms({ kekId, versions })
}

export function cipherAt(
  version: number,
  options: Partial<EnvelopeCipherOptions> = {},
): EnvelopeCipher {
  return new EnvelopeCipher({ kms: kmsAt(version), ...options })
}

/** Returns a service that is another one at each call: a KMS whose KEK is rotated while it is used. */
export function turning(service: () => KeyManagementService): KeyManagementService {
  const get = (_: object, name: string): unknown => {
    const member: unknown = Reflect.get(service(), name)
    if (typeof member !== 'function') return member
    return (...args: unknown[]): unknown => Reflect.apply(member, service(), args)
  }
  return new Proxy({}, { get: get as never }) as KeyManagementService
}

/** A KMS of which a test decides some calls. */
export class StagedKms extends InterceptedKms {
  /** Runs before each call; what it throws is the answer, and so is what it returns, unless that is nothing. */
  stage: (operation: string, call: KmsCall<unknown>) => unknown = () => undefined
  readonly calls: string[] = []

  protected override async around<T, O extends KmsSignalOptions>(
    call: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    this.calls.push(call.operation)
    const staged = await this.stage(call.operation, call as never)
    return staged === undefined ? next(call.options) : (staged as T)
  }
}

type Row = Record<string, StoredValue | null>

/** A table in memory. Its hooks play writers and outages. */
export class MemorySource implements ValueSource {
  readonly kind = 'values'
  readonly name: string
  readonly rows = new Map<string, Row>()
  readonly calls: string[] = []
  /** Runs before each call. */
  before: (call: 'page' | 'read' | 'swap', source: MemorySource) => void | Promise<void> = () =>
    undefined
  /** Runs after each swap, before its answer. */
  afterSwap: () => void | Promise<void> = () => undefined

  constructor(name = 'users') {
    this.name = name
  }

  set(id: string, row: Row): void {
    this.rows.set(id, row)
  }

  value(id: string, field = 'secret'): StoredValue | null {
    return this.rows.get(id)?.[field] ?? null
  }

  async page(cursor: string | undefined, limit: number): Promise<RecordPage> {
    this.calls.push('page')
    await this.before('page', this)
    const ids = [...this.rows.keys()].sort().filter((id) => cursor === undefined || id > cursor)
    const records = ids
      .slice(0, limit)
      .map((id) => this.#record(id))
      .filter((one) => one !== undefined)
    const last = records.at(-1)?.id
    return { records, ...(ids.length > limit && last !== undefined && { cursor: last }) }
  }

  async read(ids: readonly string[]): Promise<readonly (RotationRecord | undefined)[]> {
    this.calls.push('read')
    await this.before('read', this)
    return ids.map((id) => this.#record(id))
  }

  async swap(changes: readonly RecordChange[]): Promise<readonly SwapOutcome[]> {
    this.calls.push('swap')
    await this.before('swap', this)
    const outcomes = changes.map(({ id, field, expected, next }): SwapOutcome => {
      const row = this.rows.get(id)
      if (row === undefined || !isSame(row[field] ?? null, expected)) return 'lost'
      row[field] = next
      return 'swapped'
    })
    await this.afterSwap()
    return outcomes
  }

  #record(id: string): RotationRecord | undefined {
    const row = this.rows.get(id)
    return row && { id, values: { ...row }, facts: { id } }
  }
}

export function isSame(a: StoredValue | null, b: StoredValue | null): boolean {
  if (typeof a === 'string' || typeof b === 'string' || a === null || b === null) return a === b
  return Buffer.compare(a, b) === 0
}

/** Calls the step until the job has ended. */
export async function runAll(
  step: RotationStep,
  state: RotationState,
  budget: StepBudget = {},
): Promise<{ state: RotationState; steps: readonly StepResult[] }> {
  const steps: StepResult[] = []
  let now = state
  while (now.phase === 'running' && steps.length < 10_000) {
    const result = await step(now, budget)
    steps.push(result)
    // An engine keeps JSON.
    now = JSON.parse(JSON.stringify(result.state)) as RotationState
  }
  return { state: now, steps }
}

export function newState(...sources: readonly { readonly name: string }[]): RotationState {
  return newRotationState({ job: 'job', sources: sources.map(({ name }) => name), atMs: START_MS })
}

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
