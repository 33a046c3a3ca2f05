/** The goals of a comparison, each with what was measured. */

const DEFAULT = 'AWS Encryption SDK, default'
const CACHED = ['AWS Encryption SDK, default, cached', 'AWS Encryption SDK, unsigned, cached']
const JOSE = 'jose dir+A256GCM'

/** Returns each goal with its value and whether it was reached. */
export function goals(runtimes) {
  const found = []
  const add = (goal, value, isReached) =>
    found.push({ goal, value: `${value.toFixed(2)}x`, pass: isReached })
  for (const [name, { records, streams }] of Object.entries(runtimes)) {
    for (const { bytes, verb, atOnce, figures } of records?.rows ?? []) {
      if (bytes !== 256) continue
      const ours = figures['edge-kms']
      const what = `${name}: ${verb} 256 B, ${atOnce} at once`
      const most = atOnce === 1 ? 1.15 : 1.3
      add(`${what}, over the floor (at most ${most})`, ours.ratio, ours.ratio <= most)
      const times = (peer) => figures[peer].us / ours.us
      if (figures[JOSE] !== undefined)
        add(`${what}, jose takes as many times as long (over 1)`, times(JOSE), times(JOSE) > 1)
      if (figures[DEFAULT] === undefined) continue
      add(`${what}, the SDK's default (at least 10)`, times(DEFAULT), times(DEFAULT) >= 10)
      const fastest = Math.min(...CACHED.map(times))
      const least = atOnce === 1 ? 2.5 : 6
      add(`${what}, the SDK's fastest cached form (at least ${least})`, fastest, fastest >= least)
    }
    const stream = streams?.figures
    if (stream === undefined) continue
    const speed = 1 / stream['edge-kms'].ratio
    add(`${name}: stream, speed over windowed crypto.subtle (at least 0.85)`, speed, speed >= 0.85)
    if (stream[DEFAULT] === undefined) continue
    const times = stream[DEFAULT].us / stream['edge-kms'].us
    add(`${name}: stream, speed over the SDK's default (at least 5)`, times, times >= 5)
  }
  return found
}
