/** A report before it has a form: text and page show the same facts. */

/** One number at the top of a report. */
export interface Figure {
  readonly name: string
  readonly value: string
}

/** The kind of a column: a `number` is aligned to the right, and only `long` text is broken into lines. */
export interface Column {
  readonly name: string
  readonly holds?: 'number' | 'long'
}

/** Rows of texts. */
export interface Table {
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
  /** A sentence below the rows, e.g. how many were left out. */
  readonly note?: string
}

/** How a series looks. Colour is never the only difference: see the stylesheet. */
export type Tone = 'new' | 'old' | 'bad' | 'limit'

/** Values of one series, one for each time of its chart. */
export interface Line {
  readonly name: string
  readonly tone: Tone
  readonly values: readonly number[]
}

/** Values over time, as lines or stacked. */
export interface TimeChart {
  readonly kind: 'lines' | 'stack'
  readonly timesMs: readonly number[]
  readonly lines: readonly Line[]
  /** The unit of the vertical axis. */
  readonly unit: string
}

/** Horizontal bars: one or two for each row. */
export interface BarChart {
  readonly kind: 'bars'
  readonly series: readonly { readonly name: string; readonly tone: Tone }[]
  readonly rows: readonly {
    readonly name: string
    readonly values: readonly number[]
    readonly tone?: Tone
  }[]
}

/** A table, with a chart of it where there is something to draw. */
export interface Section {
  readonly table: Table
  readonly chart?: TimeChart | BarChart
  /** A description of the chart, in one sentence, for readers who do not see it. */
  readonly says?: string
}

/** A whole report. */
export interface ReportFacts {
  readonly title: string
  /** How it ended, or what it will do, and what to do next. */
  readonly verdict: string
  readonly isBad: boolean
  readonly figures: readonly Figure[]
  readonly sections: readonly Section[]
}
