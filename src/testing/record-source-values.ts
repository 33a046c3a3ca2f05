import { equalBytes } from '../bytes/index.ts'
import type { RotationRecord, StoredValue } from '../rotation/record-source.ts'
import { demand } from './contract-case.ts'
import type { RecordSourceWorld } from './record-source-subject.ts'
import { randomBytes, randomLetters } from './samples.ts'

/** Returns a value that nobody had before. */
export function newValue(kind: 'bytes' | 'text', length = 300): StoredValue {
  if (kind === 'bytes') return randomBytes(length)
  const text = `${randomLetters()} 'é" \\ 漢字 {a,NULL} `
  return text.repeat(Math.ceil(length / text.length)).slice(0, length)
}

/** Demands that the record has the value. */
export function demandValue(
  record: RotationRecord | undefined,
  name: string,
  value: StoredValue,
): void {
  const found = record?.values[name]
  const isSame =
    typeof value === 'string'
      ? found === value
      : found instanceof Uint8Array && equalBytes(found, value)
  demand(isSame, 'another value is read')
}

/** Demands that the source holds the value. */
export async function demandHeld(
  { source }: RecordSourceWorld,
  id: string,
  name: string,
  value: StoredValue,
): Promise<void> {
  demandValue((await source.read([id], {}))[0], name, value)
}

/** Returns values, each with one that is almost the same. */
export function nearValues(
  kind: 'bytes' | 'text',
): readonly (readonly [StoredValue, StoredValue])[] {
  if (kind === 'text') {
    return [
      ['Abc', 'abc'],
      ['abc', 'abc '],
      ['\u00e9', 'e\u0301'],
      ['abc', 'ab'],
      ['%', 'x'],
    ]
  }
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at)
  return [
    [bytes, bytes.slice(0, 255)],
    [bytes.slice(0, 255), bytes],
    [bytes, bytes.toReversed()],
  ]
}

/** Returns a value that its caller may wipe. */
export function copy(value: StoredValue): StoredValue {
  return typeof value === 'string' ? value : new Uint8Array(value)
}

/** Overwrites bytes with zeros. */
export function wipe(value: StoredValue | null | undefined): void {
  if (value instanceof Uint8Array) value.fill(0)
}
