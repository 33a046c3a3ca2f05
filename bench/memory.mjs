/** Memory as Linux counts it: the same question for every runtime, and no clock of its own. */
import { readdirSync, readFileSync } from 'node:fs'

const SAMPLE_MS = 10

/** Every descendant of a process: a shim may start the runtime. */
function descendants(pid) {
  const parents = new Map()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const parent = /^PPid:\s+(\d+)/m.exec(status(entry))?.[1]
    if (parent !== undefined) parents.set(Number(entry), Number(parent))
  }
  const found = [pid]
  for (const known of found)
    for (const [child, parent] of parents) if (parent === known) found.push(child)
  return found
}

function status(pid) {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}

const rss = (pid) => Number(/^VmRSS:\s+(\d+) kB/m.exec(status(pid))?.[1] ?? 0) / 1024

/** The process that does the work: of those with this name, or of all, the largest. */
function worker(pid, name) {
  const pids = descendants(pid).filter(
    (one) => name === undefined || status(one).startsWith(`Name:\t${name}\n`),
  )
  return pids.sort((a, b) => rss(b) - rss(a))[0]
}

/** Samples until told to stop; gives MiB at the start and at most over it. */
export function watchMemory(pid, name) {
  const target = worker(pid, name)
  if (target === undefined) throw new Error('no such process to watch')
  const startMiB = rss(target)
  let peakMiB = startMiB
  const timer = setInterval(() => (peakMiB = Math.max(peakMiB, rss(target))), SAMPLE_MS)
  return () => {
    clearInterval(timer)
    peakMiB = Math.max(peakMiB, rss(target))
    return { startMiB, peakMiB, overStartMiB: peakMiB - startMiB }
  }
}
