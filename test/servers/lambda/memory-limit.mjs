/** A limit on the memory of a process and its children, by a control group of Linux. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Version 1 and version 2: the folder, the files of the limits, the peak, and the kills. */
const versions = [
  {
    place: '/sys/fs/cgroup/memory',
    limits: ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'],
    peak: 'memory.max_usage_in_bytes',
    events: 'memory.oom_control',
  },
  {
    place: '/sys/fs/cgroup',
    limits: ['memory.max', 'memory.swap.max'],
    peak: 'memory.peak',
    events: 'memory.events',
  },
]

/**
 * @param {number} bytes
 * @returns {{ missing: string } | { prefix: string[], peak: () => number, kills: () => number, remove: () => void }}
 *   `prefix` runs a command in the group
 */
export function limitMemory(bytes) {
  for (const { place, limits, peak, events } of versions) {
    const group = join(place, `edge-kms-${process.pid}`)
    try {
      mkdirSync(group)
      if (!existsSync(join(group, limits[0] ?? ''))) {
        rmdirSync(group)
        continue
      }
      const [memory = '', swap = ''] = limits.map((name) => join(group, name))
      writeFileSync(memory, String(bytes))
      // Version 1 counts memory and swap together, version 2 swap alone. A kernel may count no swap.
      const swapLimit = place.endsWith('memory') ? bytes : 0
      if (existsSync(swap)) writeFileSync(swap, String(swapLimit))
      const read = (name) => readFileSync(join(group, name), 'utf8')
      const script = `echo $$ > ${join(group, 'cgroup.procs')} && exec "$@"`
      return {
        prefix: ['/bin/sh', '-c', script, 'sh'],
        peak: () => Number(read(peak)),
        kills: () => Number(/^oom_kill (\d+)$/m.exec(read(events))?.[1] ?? 0),
        remove: () => rmdirSync(group),
      }
    } catch {
      // Not ours to write: the next one.
    }
  }
  return { missing: 'no control group for memory can be made here: that needs root on Linux' }
}
