/** The table for people. */

const MIB = 1_048_576

/** Returns a side's ratio to the floor: of times for records, of speeds for streams. */
export function judge(one, side = 'ours') {
  const { ratio, low, high } = one.timings[side]
  if (!('least' in (one.gate ?? {}))) return { ratio, low, high, pass: !(ratio > one.gate?.most) }
  return { ratio: 1 / ratio, low: 1 / high, high: 1 / low, pass: 1 / ratio >= one.gate.least }
}

const word = (pass) => (pass ? 'PASS' : 'MISS')

function figure(ms, { operations, bytes, gate }) {
  if ('least' in (gate ?? {})) return `${((bytes / MIB / ms) * 1000).toFixed(0)} MiB/s`
  const each = ms / operations
  return each >= 1 ? `${each.toFixed(2)} ms` : `${(each * 1000).toFixed(1)} us`
}

function gateOf(one) {
  if (one.gate === undefined) return ''
  const bound = 'least' in one.gate ? `>= ${one.gate.least}` : `<= ${one.gate.most}`
  return `${bound} ${word(judge(one).pass)}`
}

export function printRuntime(name, result, missed) {
  console.log(`\n${name}`)
  if ('missing' in result) {
    console.log(`  not measured, it is not there: ${result.missing}`)
    return
  }
  const { cases, counts, memory } = result
  row('', 'floor', 'edge-kms', 'ratio', 'quartiles', 'gate')
  for (const one of cases) {
    const { floor, ours, ...others } = one.timings
    row(one.name, figure(floor.ms, one), figure(ours.ms, one), ...ratios(one, 'ours'), gateOf(one))
    for (const [side, { ms }] of Object.entries(others))
      row(`    ${side}`, '', figure(ms, one), ...ratios(one, side), '')
  }
  for (const { name, aead, digests, otherSubtle, kms, pass } of counts)
    console.log(
      `  calls of one cached ${name}: ${aead} AEAD, ${digests} digest, ${otherSubtle} other subtle, ${kms} KMS: ${word(pass)}`,
    )
  for (const [mode, { startMiB, peakMiB, overStartMiB }] of Object.entries(memory))
    console.log(
      `  memory of a stream, ${mode}: ${startMiB.toFixed(0)} MiB before, peak ${peakMiB.toFixed(0)}, ${overStartMiB.toFixed(0)} over the start`,
    )
  console.log(missed.length === 0 ? '  all gates pass' : `  MISS: ${missed.join(', ')}`)
}

function ratios(one, side) {
  const { ratio, low, high } = judge(one, side)
  return [`${ratio.toFixed(2)}x`, `${low.toFixed(2)}-${high.toFixed(2)}`]
}

function row(name, ...columns) {
  const widths = [12, 12, 8, 12]
  const cells = columns.map((text, i) => (widths[i] ? text.padStart(widths[i]) : `  ${text}`))
  console.log(`  ${name.padEnd(32)}${cells.join('')}`.trimEnd())
}

export function misses({ cases, counts }) {
  return [
    ...cases.filter((one) => !judge(one).pass).map(({ name }) => name),
    ...counts.filter(({ pass }) => !pass).map(({ name }) => `calls of ${name}`),
  ]
}
