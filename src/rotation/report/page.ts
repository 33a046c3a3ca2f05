import { barChart } from './bar-chart.ts'
import type { Column, ReportFacts, Section, Table } from './facts.ts'
import { Markup, markup } from './markup.ts'
import { STYLE, STYLE_HASH } from './style.ts'
import { timeChart } from './time-chart.ts'

/** Nothing is loaded, no script runs, and no style applies but the one of this page. */
const POLICY = `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'none'`

/** Characters of a figure that has a row of its own, such as the ARN of a version. */
const LONG = 30

/** Returns a report as one HTML page without scripts and without anything from elsewhere. */
export function pageOf({ title, verdict, isBad, figures, sections }: ReportFacts): string {
  const list = figures.map(({ name, value }) => {
    const kind = value.length > LONG ? markup` class="wide"` : markup``
    return markup`<div${kind}><dt>${name}</dt><dd>${value}</dd></div>`
  })
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="verdict ${isBad ? 'bad' : 'good'}">${verdict}</p>
<dl>${list}</dl>
${sections.map(sectionOf)}
</main>
</body>
</html>
`
  return page.text
}

function sectionOf({ table, chart, says = '' }: Section, i: number): Markup {
  const id = `s${String(i)}`
  if (chart === undefined)
    return markup`<section><h2 id="${id}">${table.title}</h2>${tableOf(table, id)}</section>
`
  const { body, height } = chart.kind === 'bars' ? barChart(chart) : timeChart(chart)
  const legend = chart.kind === 'bars' ? chart.series : chart.lines
  const keys = legend.map(
    ({ name, tone }) =>
      markup`<li><svg class="key" aria-hidden="true" width="22" height="12">${keyOf(chart.kind, tone)}</svg>${name}</li>`,
  )
  return markup`<section><h2 id="${id}">${table.title}</h2>
<div class="pair"><figure><svg class="chart" role="img" aria-labelledby="${id}c" width="100%" height="${height}">${body}</svg>${
    legend.length > 1 ? markup`<ul>${keys}</ul>` : markup``
  }<figcaption id="${id}c">${says}</figcaption></figure>${tableOf(table, id)}</div></section>
`
}

function keyOf(kind: string, tone: string): Markup {
  if (kind === 'lines') return markup`<line class="line ${tone}" x1="0" x2="22" y1="6" y2="6"/>`
  const shape = kind === 'bars' ? 'bar' : 'area'
  return markup`<rect class="${shape} ${tone}" width="22" height="12"/>`
}

function tableOf({ columns, rows, note }: Table, id: string): Markup {
  const head = columns.map(
    ({ name, holds }) => markup`<th scope="col"${classOf(holds)}>${name}</th>`,
  )
  const body = rows.map((row) => {
    const cells = columns.map(({ holds }, i) => {
      const text = row[i] ?? ''
      if (i === 0) return markup`<th scope="row"${classOf(holds)}><bdi>${text}</bdi></th>`
      return markup`<td${classOf(holds)}><bdi>${text}</bdi></td>`
    })
    return markup`<tr>${cells}</tr>
`
  })
  // A keyboard can scroll a region only if it can have the focus.
  return markup`<div class="table"><div class="scroll" role="region" aria-labelledby="${id}" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>${
    note === undefined ? markup`` : markup`<p class="note">${note}</p>`
  }</div>`
}

function classOf(holds: Column['holds']): Markup {
  return holds === undefined ? markup`` : markup` class="${holds}"`
}
