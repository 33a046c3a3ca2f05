import { isKmsError, KmsError, type KmsErrorCode } from '../errors.ts'
import { classOfError } from './error-class.ts'
import { type HeaderRewrapper, type RewrapHeader, taskId } from './header-rewraps.ts'
import { inParallel } from './in-parallel.ts'
import { judge, type JudgedValue, type JudgePorts, type StaleTask, valuesOf } from './judge.ts'
import type { PageTally } from './page-tally.ts'
import { checkRecords } from './record-page.ts'
import type { RecordChange, RotationRecord, SwapOutcome, ValueSource } from './record-source.ts'
import { callOutside } from './source-calls.ts'
import type { StepSettings } from './step-options.ts'
import { type StoredMessage, withHeader } from './stored-value.ts'

/** How often a value is tried that other writers replace at the same time. */
const TRIES = 3

/** Ports of the work on a page. */
export interface PagePorts extends JudgePorts {
  readonly settings: StepSettings
  readonly rewrapper: HeaderRewrapper<StaleTask>
  readonly rewrap: RewrapHeader<StaleTask>
  /** Nothing is replaced. */
  readonly isDry: boolean
  readonly signal: AbortSignal | undefined
}

/** A stale value. */
type Stale = JudgedValue & { readonly task: StaleTask; readonly message: StoredMessage }

/** A value with what replaces it. */
interface Ready {
  readonly from: Stale
  readonly change: RecordChange
}

/** Rewraps the values of one page, and replaces each only where it still is what was read. */
export async function rewrapValues(
  ports: PagePorts,
  source: ValueSource,
  records: readonly RotationRecord[],
  tally: PageTally,
): Promise<void> {
  const judged = await judge(ports, source.name, valuesOf(records), false, ports.signal)
  await tally.take(judged, false)
  let left = judged
  for (let tries = 1; left.length > 0; tries += 1) {
    const ready = await rewrapStale(ports, await settleOthers(left, tally), tally)
    if (ports.isDry) {
      tally.count('done', ready.length)
      return
    }
    const lost = await swapAll(ports, source, ready, tally)
    if (lost.length === 0) return
    tally.changed = true
    if (tries === TRIES) {
      tally.count('lost-race', lost.length)
      return
    }
    left = await readAgain(ports, source, lost, tally)
  }
}

/** Counts the values that need no work, and returns the others. */
async function settleOthers(
  judged: readonly JudgedValue[],
  tally: PageTally,
): Promise<readonly Stale[]> {
  const stale: Stale[] = []
  for (const value of judged) {
    const { verdict, code = '' } = value
    if (verdict !== 'stale') {
      if (verdict === 'outage') tally.fail('kms', new KmsError(code as KmsErrorCode), 1)
      else await tally.settle(value, verdict, code)
    } else if (!(await tally.isQuarantined(value))) stale.push(value as Stale)
  }
  return stale
}

/** Rewraps each distinct data key once, and returns what each value becomes. After an outage no call is made. */
async function rewrapStale(
  { settings, rewrap, signal }: PagePorts,
  stale: readonly Stale[],
  tally: PageTally,
): Promise<readonly Ready[]> {
  const groups = new Map<string, Stale[]>()
  for (const value of stale) {
    const id = taskId(value.task)
    const group = groups.get(id)
    if (group === undefined) groups.set(id, [value])
    else group.push(value)
  }
  const made = await inParallel([...groups], settings.concurrency, async ([id, group]) => {
    const [first] = group
    if (first === undefined) return []
    if (tally.isOver) {
      tally.left += group.length
      return []
    }
    const outcome = await rewrap(id, first.task, signal)
    if (outcome.ok) return group.map((from) => readyOf(from, outcome.value))
    await settleFailed(outcome.error, group, tally)
    return []
  })
  return made.flat()
}

async function settleFailed(
  error: KmsError,
  group: readonly Stale[],
  tally: PageTally,
): Promise<void> {
  const verdict = classOfError(error)
  if (verdict === undefined) throw error
  if (verdict === 'outage') tally.fail('kms', error, group.length)
  else for (const value of group) await tally.settle(value, verdict, error.code)
}

function readyOf(from: Stale, header: Uint8Array<ArrayBuffer>): Ready {
  const { record, field, value, message } = from
  const next = withHeader(message, header)
  return {
    from,
    change: { id: record.id, field, expected: value as NonNullable<typeof value>, next },
  }
}

/** Replaces values, and returns those that others replaced first. */
async function swapAll(
  { settings, signal }: PagePorts,
  source: ValueSource,
  ready: readonly Ready[],
  tally: PageTally,
): Promise<readonly Ready[]> {
  if (ready.length === 0) return []
  const changes = ready.map(({ change }) => change)
  const outcomes = await orOutage(tally, ready.length, () =>
    callOutside(settings, `source ${source.name}: swap`, signal, (options) =>
      checkOutcomes(source, changes, source.swap(changes, options)),
    ),
  )
  if (outcomes === undefined) return []
  const swapped = outcomes.filter((outcome) => outcome === 'swapped').length
  tally.count('done', swapped)
  tally.changed ||= swapped > 0
  return ready.filter((_, i) => outcomes[i] === 'lost')
}

/** Judges values again as they are now. */
async function readAgain(
  ports: PagePorts,
  source: ValueSource,
  lost: readonly Ready[],
  tally: PageTally,
): Promise<readonly JudgedValue[]> {
  const { settings, signal } = ports
  const ids = [...new Set(lost.map(({ change }) => change.id))]
  const records = await orOutage(tally, lost.length, () =>
    callOutside(settings, `source ${source.name}: read`, signal, (options) =>
      source.read(ids, options),
    ).then((answer) => checkRecords(source.name, ids, answer)),
  )
  if (records === undefined) return []
  const byId = new Map(ids.map((id, i) => [id, records[i]]))
  const values = lost.map(({ from: { record, field }, change }) => {
    const found = byId.get(change.id)
    return { record: found ?? record, field, value: found?.values[field] ?? null }
  })
  return judge(ports, source.name, values, false, signal)
}

async function checkOutcomes(
  { name }: ValueSource,
  changes: readonly RecordChange[],
  answer: Promise<readonly SwapOutcome[]>,
): Promise<readonly SwapOutcome[]> {
  const outcomes = await answer
  const given: readonly unknown[] = Array.isArray(outcomes) ? outcomes : []
  const isWhole = given.length === changes.length
  if (isWhole && given.every((one) => one === 'swapped' || one === 'lost')) return outcomes
  const message = `source ${name}: swap must answer swapped or lost for each change`
  throw new KmsError('ERR_KMS_CONFIG', { message })
}

/**
 * Returns the answer of a source; `undefined` at an outage, which the tally notes.
 *
 * @param values - that the call is for
 */
export async function orOutage<T>(
  tally: PageTally,
  values: number,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!isKmsError(error) || classOfError(error) !== 'outage') throw error
    tally.fail('source', error, values)
    return undefined
  }
}
