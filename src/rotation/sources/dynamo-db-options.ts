import {
  configError,
  flag,
  integer,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../../checks/index.ts'
import { type DynamoDbOptions, DynamoDbTable } from '../../stores/dynamo-db-table.ts'
import { callOptions, type SourceCallOptions, sourceName } from './source-options.ts'
import { distinctNames } from './table-options.ts'

/** Options of `dynamoDbSource`. */
export interface DynamoDbSourceOptions
  extends Omit<DynamoDbOptions, 'prefix' | 'timeoutMs' | 'network'>, SourceCallOptions {
  /** The attributes that hold messages, of type B or S, 1 to 32. All of them are rotated in one pass. */
  readonly values: readonly string[]
  /** The attributes that a context is made of, at most 32; text and numbers arrive as text, others as JSON. */
  readonly facts?: readonly string[]
  /**
   * Whether to read only items that have one of the attributes, for a table with several kinds of items. `false` by
   * default.
   */
  readonly skipOthers?: boolean
  /**
   * The part of the table that this source walks, for several workers: `[0, 4]` is the first of four. Each part is a
   * source with its own name.
   */
  readonly segment?: readonly [index: number, total: number]
  /** Reads or conditional writes of single items in flight, 1 to 64; 8 by default. */
  readonly callsAtOnce?: number
}

/** Options of `dynamoDbSource`, checked. */
export interface DynamoDbSourceSettings {
  readonly name: string
  readonly table: DynamoDbTable
  readonly tableName: string
  readonly values: readonly string[]
  readonly facts: readonly string[]
  /** Fields of every scan, beside its page. */
  readonly scan: Readonly<Record<string, unknown>>
  readonly callsAtOnce: number
}

const FAULTS: Readonly<Record<string, string>> = {
  ResourceNotFoundException:
    'was not found: correct table, region or the account of the credentials',
  ValidationException: 'refused the request: an item above 400 KB, or a cursor of another table',
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function dynamoDbSettings(options: DynamoDbSourceOptions): DynamoDbSourceSettings {
  const { name, values, facts = [], skipOthers = false, segment, ...more } = plainOptions(options)
  const { callsAtOnce = 8, timeoutMs, network, ...place } = more
  // Prefixes are those of our own tables.
  refuseOthers({ prefix: (place as { readonly prefix?: unknown }).prefix })
  distinctNames('values', values, 1, 32)
  distinctNames('facts', facts, 0, 32)
  const twice = values.find((one) => facts.includes(one))
  if (twice !== undefined) throw configError(`values must not name a fact, got ${twice}`)
  const calls = callOptions({ timeoutMs, network })
  const table = new DynamoDbTable({ ...place, ...calls }, FAULTS)
  const part = segmentOf(segment)
  const suffix = part === undefined ? '' : `-${String(part.Segment)}`
  const filter = values.map((_, at) => `attribute_exists(#v${String(at)})`).join(' OR ')
  return {
    name: sourceName(name, `${place.table.slice(0, 56)}${suffix}`),
    table,
    tableName: place.table,
    values: [...values],
    facts: [...facts],
    scan: { ...part, ...(flag('skipOthers', skipOthers) && { FilterExpression: filter }) },
    callsAtOnce: integer('callsAtOnce', callsAtOnce, 1, 64),
  }
}

function segmentOf(
  segment: DynamoDbSourceOptions['segment'],
): { readonly Segment: number; readonly TotalSegments: number } | undefined {
  if (segment === undefined) return undefined
  if (!Array.isArray(segment)) throw wrongOption('segment', '[index, total]', segment)
  const [index, total] = segment as readonly [number, number]
  integer('segment.1', total, 1, 1_000_000)
  return { Segment: integer('segment.0', index, 0, total - 1), TotalSegments: total }
}
