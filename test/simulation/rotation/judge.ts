import { EncryptedEnvelope, EnvelopeCipher, type WrappedKey } from '../../../src/index.ts'
import type { RotationFailure, RotationState } from '../../../src/rotation/rotation-state.ts'
import type { Scheduler } from '../scheduler.ts'
import { hex } from '../sim-kms.ts'
import { DirectKms, type KekServer } from './kek-server.ts'
import { OLD_VERSION, type Planted, type RotationPlan } from './plan.ts'
import type { Process } from './process.ts'
import type { Table } from './table.ts'

type Bytes = Uint8Array<ArrayBuffer>

export type RotationRule =
  | 'lost'
  | 'opens'
  | 'stale'
  | 'failure'
  | 'dropped'
  | 'counts'
  | 'retired'
  | 'state'
  | 'throws'
  | 'hang'

const CLASSES: Readonly<Record<Planted, string>> = {
  foreign: 'foreign',
  torn: 'corrupt',
  broken: 'corrupt',
  moved: 'corrupt',
  unknown: 'unknown-key',
}
const MAX_STATE_BYTES = 65_536

/** Returns the tenant of a row, which is the context of its value and is in no envelope. */
export function tenantOf(id: string): string {
  return id.split('-')[1] ?? ''
}

/** Says what a rotation must not have done. */
export class RotationJudge {
  readonly violations: { readonly rule: RotationRule; readonly text: string }[] = []
  /** The plaintexts that writers wrote, by row. */
  readonly truth = new Map<string, Bytes>()
  readonly planted = new Map<string, Planted>()
  readonly table: Table
  readonly #plan: RotationPlan
  readonly #servers: readonly KekServer[]
  readonly #scheduler: Scheduler
  readonly #told = new Set<string>()
  /** Values whose rewrap a KMS answered wrongly: the job leaves them as they are. */
  readonly #excused = new Set<string>()
  /** When the last step ended that replaced something, of the job that a state belongs to. */
  readonly #horizons = new Map<string, number>()

  constructor(
    plan: RotationPlan,
    table: Table,
    servers: readonly KekServer[],
    scheduler: Scheduler,
  ) {
    this.#plan = plan
    this.table = table
    this.#servers = servers
    this.#scheduler = scheduler
    table.onSwap = (id, next) => {
      this.#swapped(id, next)
    }
  }

  blame(rule: RotationRule, text: string): void {
    this.violations.push({ rule, text })
  }

  /** A failure that reached the sink must be one. */
  told({ id, class: name, code }: RotationFailure): void {
    const planted = this.planted.get(id)
    if (planted !== undefined && CLASSES[planted] === name) this.#told.add(id)
    else if (this.#plan.badWraps > 0) this.#excused.add(id)
    else this.blame('failure', `${id}, ${planted ?? 'a value of a writer'}, is ${name}: ${code}`)
  }

  /** A state was saved: what was written before its last swap must be current once it has finished. */
  saved(before: RotationState | undefined, after: RotationState): void {
    const text = JSON.stringify(after)
    if (Buffer.byteLength(text) > MAX_STATE_BYTES) this.blame('state', 'is over 64 KiB')
    const known = before && this.#horizons.get(JSON.stringify(before))
    const changed = after.counts.done > (before?.counts.done ?? 0) && this.#plan.pages === 1
    const horizon = changed ? this.#scheduler.nowMs : (known ?? -Infinity)
    this.#horizons.set(text, Math.min(horizon, this.#horizons.get(text) ?? Infinity))
    let swaps = 0
    for (const count of this.table.swaps.values()) swaps += count
    if (after.counts.done > swaps)
      this.blame('counts', `${String(after.counts.done)} done, ${String(swaps)} replaced by all`)
    if (after.phase === 'stopped') this.blame('state', 'stops though no share is too high')
    if (after.phase !== 'finished') return
    for (const id of this.truth.keys()) {
      if (this.#excused.has(id)) continue
      const isOld = this.table.writtenAtMs(id) < horizon - this.#plan.lagMs
      if (isOld && this.#isBefore(id, after))
        this.blame('stale', `${id} was written in time and is under ${this.#versions(id)}`)
    }
    // Under the first version, a value that is broken looks current, and is not opened.
    if (after.target.some(({ kekVersion }) => kekVersion === OLD_VERSION)) return
    for (const [id, name] of this.planted)
      if (CLASSES[name] !== 'foreign' && !this.#told.has(id))
        this.blame('dropped', `${id}, ${name}, was told to nobody`)
    this.#count(after)
  }

  /** A version is disabled: nothing may need it. */
  disables(version: string): void {
    for (const id of this.truth.keys()) {
      const { wraps } = this.#parse(id)
      if (wraps.some((wrap) => wrap.provider === 'sim-a' && wrap.kekVersion === version))
        this.blame('retired', `${id} is under version ${version}, which is disabled`)
    }
  }

  /** A writer writes: a version that it still holds must not be disabled. */
  written(id: string, value: Bytes): void {
    for (const { provider, kekVersion } of EncryptedEnvelope.parse(value).wraps) {
      const server = this.#servers.find((one) => one.provider === provider)
      if (server?.disabledVersions.has(kekVersion) === true)
        this.blame('retired', `${id} is written under version ${kekVersion}, which is disabled`)
    }
  }

  /** Everything that writers wrote is there and opens. */
  async opens(): Promise<void> {
    for (const server of this.#servers) server.disabledVersions.clear()
    const kms = new DirectKms(...this.#servers)
    const cipher = new EnvelopeCipher({ kms, requiredContextKeys: ['tenant'] })
    for (const [id, plaintext] of this.truth) {
      const value = this.table.get(id)
      if (value === undefined) this.blame('lost', `${id} is gone`)
      else {
        try {
          const found = await cipher.decrypt(value, { context: { tenant: tenantOf(id) } })
          if (hex(found) !== hex(plaintext)) this.blame('lost', `${id} is an older value`)
        } catch (error) {
          this.blame('opens', `${id} does not open: ${String(error)}`)
        }
      }
    }
    for (const id of this.table.ids)
      if (this.table.get(id) !== undefined && !this.truth.has(id) && !this.planted.has(id))
        this.blame('lost', `${id} was deleted and is back`)
  }

  /** After a last job without a fault, when all writers know the new version. */
  isCurrent(): void {
    const wanted = this.#servers.map(({ provider, version }) => `${provider} ${String(version)}`)
    for (const id of this.truth.keys())
      if (this.#versions(id) !== wanted.join())
        this.blame('stale', `${id} is ${this.#versions(id)}`)
  }

  /** Counts of a job that nobody disturbed are those of the KMS and of the table. */
  counted({ counts }: RotationState, process: Process): void {
    const swaps = this.table.swaps.get(process) ?? 0
    if (counts.done !== swaps)
      this.blame('counts', `${String(counts.done)} done, ${String(swaps)} replaced`)
    if (counts.kmsCalls !== process.kmsCalls)
      this.blame('counts', `${String(counts.kmsCalls)} calls, of ${String(process.kmsCalls)}`)
  }

  /** Each value of the first sweep has one class. */
  #count({ counts }: RotationState): void {
    const wanted = { foreign: 0, corrupt: 0, 'unknown-key': 0, denied: 0 }
    for (const name of this.planted.values()) wanted[CLASSES[name] as keyof typeof wanted] += 1
    if (this.#plan.badWraps > 0) return
    for (const [name, count] of Object.entries(wanted)) {
      const found = counts[name as keyof typeof wanted]
      if (found !== count) this.blame('counts', `${String(found)} ${name}, of ${String(count)}`)
    }
    const { flapMs, againAtMs, writers } = this.#plan
    const isTurned = flapMs > 0 || againAtMs !== undefined
    if (isTurned || writers + counts.outage + counts['lost-race'] > 0) return
    const { done, current, corrupt, foreign } = counts
    const all = done + current + corrupt + foreign + counts['unknown-key']
    if (all !== this.table.ids.length)
      this.blame('counts', `${String(all)} values, of ${String(this.table.ids.length)}`)
    if (counts.records !== this.table.ids.length)
      this.blame('counts', `${String(counts.records)} of ${String(this.table.ids.length)} records`)
  }

  #swapped(id: string, next: Bytes): void {
    if (this.planted.has(id)) this.blame('failure', `${id} must not be replaced`)
    if (!this.truth.has(id)) this.blame('lost', `${id} is replaced, and was deleted`)
    if (next.length === 0) this.blame('opens', `${id} is empty`)
  }

  /** Whether a value is under older versions than those of a state, or under other KEKs. */
  #isBefore(id: string, { target }: RotationState): boolean {
    const { wraps } = this.#parse(id)
    if (wraps.length !== target.length) return true
    return target.some(({ provider, kekVersion }) => {
      const wrap: WrappedKey | undefined = wraps.find((one) => one.provider === provider)
      return wrap === undefined || Number(wrap.kekVersion) < Number(kekVersion)
    })
  }

  #versions(id: string): string {
    const { wraps } = this.#parse(id)
    return wraps.map(({ provider, kekVersion }) => `${provider} ${kekVersion}`).join()
  }

  #parse(id: string): { readonly wraps: readonly WrappedKey[] } {
    const value = this.table.get(id)
    return value === undefined ? { wraps: [] } : EncryptedEnvelope.parse(value)
  }
}
