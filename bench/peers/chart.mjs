/** Bar charts as SVG, on a ground of their own so that they read in light and dark. */

const WIDTH = 720
const LABEL = 290
const ROW = 30
const HEAD = 48

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/**
 * Returns a chart of one bar for each row. The scale is logarithmic if the values are far apart.
 *
 * @param {{ title: string, unit: string, rows: { label: string, value: number, isOurs: boolean }[] }} data
 */
export function barChart({ title, unit, rows }) {
  const values = rows.map(({ value }) => value)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const isLog = most / least > 20
  const room = WIDTH - LABEL - 110
  const lengthOf = (value) =>
    isLog
      ? 8 + ((room - 8) * Math.log(value / least)) / Math.log(most / least)
      : (room * value) / most
  const bars = rows.map(({ label, value, isOurs }, i) => {
    const y = HEAD + i * ROW
    const fill = isOurs ? '#0b6e4f' : '#8a94a6'
    const length = Math.max(2, lengthOf(value)).toFixed(1)
    const number = value >= 100 ? value.toFixed(0) : value.toPrecision(3)
    return [
      `<text x="${LABEL - 10}" y="${y + 15}" text-anchor="end"${isOurs ? ' font-weight="700"' : ''}>${escaped(label)}</text>`,
      `<rect x="${LABEL}" y="${y}" width="${length}" height="20" rx="3" fill="${fill}"/>`,
      `<text x="${LABEL + Number(length) + 8}" y="${y + 15}">${number} ${escaped(unit)}</text>`,
    ].join('')
  })
  const height = HEAD + rows.length * ROW + 10
  const head = `${title}${isLog ? ' (logarithmic scale)' : ''}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="system-ui, sans-serif" font-size="13" fill="#1b2430">
<title>${escaped(head)}</title>
<rect width="${WIDTH}" height="${height}" rx="8" fill="#ffffff"/>
<text x="16" y="28" font-size="15" font-weight="700">${escaped(head)}</text>
${bars.join('\n')}
</svg>
`
}
