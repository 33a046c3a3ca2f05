import { KmsError, type KmsErrorCode, settle } from '../errors.ts'
import { classOfError } from './error-class.ts'
import { inParallel } from './in-parallel.ts'
import { judge, type JudgedValue, valuesOf } from './judge.ts'
import { paceOf } from './kms-rewrapper.ts'
import type { Pacer } from './pacer.ts'
import type { PageTally } from './page-tally.ts'
import type { ObjectSource, RotationRecord, SwapOutcome } from './record-source.ts'
import { callOutside } from './source-calls.ts'
import type { PagePorts } from './value-page.ts'

/**
 * Has a source rewrap the stale objects of one page. The requests of each are counted by what a rewrap costs: they
 * are made behind the source, where nothing can count them.
 */
export async function rewrapObjects(
  ports: PagePorts,
  source: ObjectSource,
  records: readonly RotationRecord[],
  tally: PageTally,
  pacer: Pacer,
): Promise<void> {
  const judged = await judge(ports, source.name, valuesOf(records), true, ports.signal)
  await tally.take(judged, true)
  await inParallel(judged, ports.settings.concurrency, async (value) => {
    const { verdict, code = '' } = value
    if (verdict === 'outage') tally.fail('kms', new KmsError(code as KmsErrorCode), 1)
    else if (verdict !== 'stale') await tally.settle(value, verdict, code)
    else if (tally.isOver) tally.left += 1
    else if (!(await tally.isQuarantined(value)))
      await rewrapOne(ports, source, value, tally, pacer)
  })
}

async function rewrapOne(
  { settings, rewrapper, isDry, signal }: PagePorts,
  source: ObjectSource,
  value: JudgedValue,
  tally: PageTally,
  pacer: Pacer,
): Promise<void> {
  const { verify, network, objectTimeoutMs } = settings
  const { task } = value
  if (task === undefined) return
  const requests = rewrapper.note(task)
  if (isDry) {
    tally.count('done')
    return
  }
  await paceOf(pacer, settings, task.current).take(requests, signal)
  const { id } = value.record
  const bounds = { network, sourceTimeoutMs: objectTimeoutMs }
  const outcome = await settle(() =>
    callOutside(bounds, `source ${source.name}: rewrap`, signal, (options) =>
      checkOutcome(source, source.rewrap(id, { ...options, verify })),
    ),
  )
  if (outcome.ok) {
    tally.changed = true
    tally.count(outcome.value === 'swapped' ? 'done' : 'lost-race')
    return
  }
  const verdict = classOfError(outcome.error)
  if (verdict === undefined) throw outcome.error
  if (verdict === 'outage') tally.fail(fromOf(outcome.error), outcome.error, 1)
  else {
    tally.changed ||= verdict === 'lost-race'
    await tally.settle(value, verdict, outcome.error.code)
  }
}

async function checkOutcome(
  { name }: ObjectSource,
  answer: Promise<SwapOutcome>,
): Promise<SwapOutcome> {
  const outcome: unknown = await answer
  if (outcome === 'swapped' || outcome === 'lost') return outcome
  const message = `source ${name}: rewrap must answer swapped or lost`
  throw new KmsError('ERR_KMS_CONFIG', { message })
}

/** An object's rewrap calls the KMS and the bucket: the code tells which of them did not answer. */
function fromOf({ code }: KmsError): 'kms' | 'source' {
  return code === 'ERR_STORE_UNAVAILABLE' ? 'source' : 'kms'
}
