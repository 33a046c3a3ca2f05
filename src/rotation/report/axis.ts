import { unitOf } from './shown.ts'

/** An axis from 0: its end, and where its marks are. */
export interface Axis {
  readonly end: number
  readonly marks: readonly number[]
}

/** Returns an axis from 0 to at least `most`, with about four marks at 1, 2 or 5 times a power of ten. */
export function axisTo(most: number, least = 0): Axis {
  const end = most > 0 ? most : 1
  const power = 10 ** Math.floor(Math.log10(end / 4))
  const step = Math.max(
    least,
    [1, 2, 5, 10].map((by) => by * power).find((by) => end / by <= 5) ?? end,
  )
  const count = Math.ceil(end / step - 1e-9)
  return { end: step * count, marks: Array.from({ length: count + 1 }, (_, i) => i * step) }
}

/** Returns the marks of an axis of time that ends with its last sample, with labels such as `20 s`. */
export function timeMarks(
  endMs: number,
): readonly { readonly atMs: number; readonly label: string }[] {
  const { name, ms } = unitOf(endMs, 1.5)
  const marks = axisTo(endMs / ms).marks.filter((mark) => mark * ms <= endMs)
  return marks.map((mark) => ({
    atMs: mark * ms,
    label: `${String(Number(mark.toPrecision(6)))} ${name}`,
  }))
}
