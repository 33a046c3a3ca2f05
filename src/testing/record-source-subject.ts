import type {
  ObjectSource,
  RecordSource,
  RotationRecord,
  StoredValue,
  ValueSource,
} from '../rotation/record-source.ts'
import { demand } from './contract-case.ts'
import { randomLetters } from './samples.ts'

/** A source of values, with the world that the contract tries it on. */
export interface RecordSourceSubject {
  /** The fields of the source and the kind of their values, e.g. `{ secret: 'bytes', note: 'text' }`. */
  readonly fields: Readonly<Record<string, 'bytes' | 'text'>>
  /** Returns an empty source each time, with its writer. */
  create(): RecordSourceWorld | Promise<RecordSourceWorld>
  /** Returns an id that nobody had before; 43 random letters by default. */
  readonly newId?: () => string
  /** The cases that the source cannot run, with the reason. */
  readonly without?: Readonly<Partial<Record<'textIds' | 'nulls' | 'failures', string>>>
}

/** A source of values, and another writer of the same records. */
export interface RecordSourceWorld {
  readonly source: ValueSource
  /** Writes a record, in place of one with this id. */
  put(id: string, values: Readonly<Record<string, StoredValue | null>>): Promise<void>
  delete(id: string): Promise<void>
  /** Returns the same source over a backend that fails, or does not answer. */
  readonly failing?: () => ValueSource
}

/** A source of objects, with the world that the contract tries it on. */
export interface ObjectSourceSubject {
  /** Returns an empty source each time, with its writer. */
  create(): ObjectSourceWorld | Promise<ObjectSourceWorld>
  /** The cases that the source cannot run, with the reason. */
  readonly without?: Readonly<Partial<Record<'textIds' | 'failures', string>>>
}

/** A source of objects whose KEK has a new version, and another writer of the same objects. */
export interface ObjectSourceWorld {
  readonly source: ObjectSource
  /** Encrypts an object of this content, under the KEK version before. */
  put(id: string, content: string): Promise<void>
  /** Writes bytes that no cipher made. */
  putRaw(id: string, bytes: Uint8Array): Promise<void>
  /** Returns the content of an object. */
  open(id: string): Promise<string>
  delete(id: string): Promise<void>
  /** Returns the same source over a backend that fails, or does not answer. */
  readonly failing?: () => ObjectSource
}

/** Returns all records, page by page. */
export async function walk(
  source: RecordSource,
  limit: number,
  between: (page: number, records: readonly RotationRecord[]) => Promise<void> = () =>
    Promise.resolve(),
): Promise<readonly RotationRecord[]> {
  const seen: RotationRecord[] = []
  let cursor: string | undefined
  let pages = 0
  do {
    const page = await source.page(cursor, limit, {})
    demand(page.records.length <= limit, 'a page is longer than asked for')
    demand((page.cursor?.length ?? 0) <= 1_024, 'a cursor is longer than 1,024 characters')
    demand(page.cursor === undefined || page.cursor !== cursor, 'a cursor leads to itself')
    seen.push(...page.records)
    cursor = page.cursor
    await between(++pages, page.records)
    demand(pages < 10_000, 'the walk has no end')
  } while (cursor !== undefined)
  return seen
}

/** Returns so many new ids. */
export function newIds(count: number, newId: () => string = randomLetters): readonly string[] {
  return Array.from({ length: count }, newId)
}

/** Ids that break statements, paths and encodings that are put together carelessly. */
export const HOSTILE_IDS: readonly string[] = [
  `it's "quoted" \`here\``,
  `'); DROP TABLE records; --`,
  '["a","b"]',
  '{"S":"x"}',
  String.raw`back\slash \" \u0041 \x00`,
  '$1 ?1 :next #v %s ${x}',
  '{a,b,NULL}',
  'NULL',
  'e\u0301 is not \u00e9',
  '\u00e9 is not e\u0301',
  'emoji 👩‍👩‍👧 and 漢字',
  'ＡＢＣ abc',
  'Case',
  'case',
  '007',
  '7',
  '1e3',
  ' leading and trailing ',
  'a&b=c/d?e#f+g',
  '<Key>&amp;</Key>',
  `${'é'.repeat(511)}ab`,
  'x'.repeat(1_024),
]
