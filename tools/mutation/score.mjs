/** Counts Stryker's report (the mutation-testing-report-schema). */
const KILLED = ['Killed', 'Timeout', 'RuntimeError']
const SURVIVED = ['Survived', 'NoCoverage']

export function scoreOf(report) {
  const rows = Object.entries(report.files).flatMap(([file, { mutants, source }]) => {
    const lines = source.split('\n')
    return mutants.map((mutant) => ({ file, lines, ...mutant }))
  })
  const killed = rows.filter(({ status }) => KILLED.includes(status)).length
  const survivors = rows
    .filter(({ status }) => SURVIVED.includes(status))
    .map(({ file, lines, status, location, mutatorName, replacement }) => {
      const { line } = location.start
      const became = replacement.replaceAll(/\s+/g, ' ').slice(0, 60)
      const covered = status === 'NoCoverage' ? ' (no test runs it)' : ''
      return {
        file,
        line,
        what: `${mutatorName} ${became}${covered} in: ${lines[line - 1].trim()}`,
      }
    })
  const tried = killed + survivors.length
  const equivalent = rows.filter((row) => row.statusReason?.startsWith('equivalent')).length
  const statuses = rows.map(({ statusReason }) => statusReason)
  const counts = { killed, tried, all: rows.length, equivalent }
  return { ...interval(killed, tried), ...counts, survivors, statuses }
}

/** Wilson's interval at 95 %, in per cent. If all mutants were tried, the score is exact. */
function interval(killed, tried) {
  if (tried === 0) return { score: 100, low: 0, high: 100 }
  const z = 1.96
  const p = killed / tried
  const middle = p + (z * z) / (2 * tried)
  const width = z * Math.sqrt((p * (1 - p)) / tried + (z * z) / (4 * tried * tried))
  const scale = 100 / (1 + (z * z) / tried)
  return { score: p * 100, low: (middle - width) * scale, high: (middle + width) * scale }
}
