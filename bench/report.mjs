/** The table for people. */

const MIB = 1_048_576

/** What a case comes to: for records time over the floor's, for streams speed over the floor's. */
export function judge(one) {
  if ('least' in one.gate) {
    const ratio = 1 / one.ratio
    return { ratio, low: 1 / one.high, high: 1 / one.low, pass: ratio >= one.gate.least }
  }
  return { ratio: one.ratio, low: one.low, high: one.high, pass: one.ratio <= one.gate.most }
}

const word = (pass) => (pass ? 'PASS' : 'MISS')

function figure(ms, { operations, bytes, gate }) {
  if ('least' in gate) return `${((bytes / MIB / ms) * 1000).toFixed(0)} MiB/s`
  const each = ms / operations
  return each >= 1 ? `${each.toFixed(2)} ms` : `${(each * 1000).toFixed(1)} us`
}

export function printRuntime(name, { cases, counts, memory }) {
  console.log(`\n${name}`)
  row('', 'edge-kms', 'floor', 'ratio', 'quartiles', 'gate')
  for (const one of cases) {
    const { ratio, low, high, pass } = judge(one)
    const gate = 'least' in one.gate ? `>= ${one.gate.least}` : `<= ${one.gate.most}`
    row(
      one.name,
      figure(one.ours, one),
      figure(one.floor, one),
      `${ratio.toFixed(2)}x`,
      `${low.toFixed(2)}-${high.toFixed(2)}`,
      `${gate} ${word(pass)}`,
    )
  }
  for (const { name, aead, digests, otherSubtle, kms, pass } of counts)
    console.log(
      `  calls of one cached ${name}: ${aead} AEAD, ${digests} digest, ${otherSubtle} other subtle, ${kms} KMS: ${word(pass)}`,
    )
  for (const [mode, { startMiB, peakMiB, overStartMiB }] of Object.entries(memory))
    console.log(
      `  memory of a stream, ${mode}: ${startMiB.toFixed(0)} MiB before, peak ${peakMiB.toFixed(0)}, ${overStartMiB.toFixed(0)} over the start`,
    )
}

function row(name, ...columns) {
  const widths = [12, 12, 8, 12]
  const cells = columns.map((text, i) => (widths[i] ? text.padStart(widths[i]) : `  ${text}`))
  console.log(`  ${name.padEnd(24)}${cells.join('')}`)
}

export function misses({ cases, counts }) {
  return [
    ...cases.filter((one) => !judge(one).pass).map(({ name }) => name),
    ...counts.filter(({ pass }) => !pass).map(({ name }) => `calls of ${name}`),
  ]
}
