/** Two processes race on one key, and processes are killed in the middle of a write. */
import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process that is started as often as it is needed. */
export interface Program {
  readonly command: string
  readonly args: readonly string[]
}

/** A line that child.mjs prints. */
interface Line {
  readonly won?: string
  readonly lost?: number
  readonly busy?: number
  readonly seen?: string
  readonly tried?: string
}

interface Started {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  readonly lines: readonly Line[]
  /** The first line was said. */
  readonly ready: Promise<unknown>
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<unknown>
}

function start({ command, args }: Program, more: readonly string[], detached = false): Started {
  const child = spawn(command, [...args, ...more], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached,
  })
  const lines: Line[] = []
  const reader = createInterface(child.stdout)
  reader.on('line', (line) => lines.push(JSON.parse(line) as Line))
  const ready = once(reader, 'line')
  const exit = once(child, 'exit') as Promise<[number | null, string | null]>
  const ended = Promise.all([exit, once(reader, 'close')]).then(
    ([[code, signal]]) => signal ?? code,
  )
  return { child, lines, ready: Promise.race([ready, ended]), ended }
}

/**
 * Both write the chain to its end: each link is won by exactly one of them.
 *
 * @param program - takes `<key> <me> race <end>` as well
 */
export async function raceTwo(
  program: Program,
  key: string,
  end: number,
): Promise<{ readonly won: readonly number[]; readonly lost: number; readonly busy: number }> {
  const two = ['a', 'b'].map((me) => start(program, [key, me, 'race', String(end)]))
  // The start-up of one must not be the whole race of the other.
  await Promise.all(two.map(({ ready }) => ready))
  for (const { child } of two) child.stdin.end('go\n')
  for (const { ended } of two) assert.equal(await ended, 0)
  const links = two.map(({ lines }) => lines.flatMap(({ won }) => won ?? []))
  const numbers = links.flat().map((link) => Number.parseInt(link, 10))
  const whole = Array.from({ length: end }, (_, i) => i + 1)
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    whole,
  )
  const sum = (name: 'lost' | 'busy'): number =>
    two.reduce((all, { lines }) => all + (lines.at(-1)?.[name] ?? 0), 0)
  const [lost, busy] = [sum('lost'), sum('busy')]
  assert.notEqual(lost + busy, 0, 'nobody lost: there was no race')
  return { won: links.map(({ length }) => length), lost, busy }
}

/**
 * Processes that die in the middle of a write: what is there afterwards is what was before or what
 * was written, never a third.
 *
 * @param program - takes `<key> <me> crash <delay>` as well
 * @param link - what the store holds now
 * @param delaysMs - how long each process lives after it began to write
 */
export async function killWriters(
  program: Program,
  key: string,
  link: () => Promise<string>,
  delaysMs: readonly number[],
): Promise<{ readonly before: number; readonly after: number }> {
  let [before, after] = [0, 0]
  for (const delay of delaysMs) {
    const { lines, ended } = start(program, [key, 'k', 'crash', String(delay)])
    assert.equal(await ended, 'SIGKILL')
    const { seen, tried } = lines[0] ?? {}
    const found = await link()
    assert.ok(
      found === seen || found === tried,
      `${found} is neither ${String(seen)} nor ${String(tried)}`,
    )
    if (found === seen) before++
    else after++
  }
  assert.notEqual(after, 0, 'no write ever arrived')
  return { before, after }
}

/**
 * A server that makes one link after the other is killed, with all of its own processes.
 *
 * @param program - says each link that was acknowledged to it
 * @param delayMs - how long it goes on after it has begun
 * @returns the last link, and the one under way
 */
export async function killServer(
  program: Program,
  delayMs: number,
): Promise<{ readonly acknowledged: string; readonly tried: string }> {
  // A group of its own, so that its workerd goes with it.
  const { child, lines, ready, ended } = start(program, [], true)
  await ready
  await sleep(delayMs)
  assert.ok(child.pid !== undefined && lines.length > 0, 'it never began')
  process.kill(-child.pid, 'SIGKILL')
  await ended
  const acknowledged = lines.at(-1)?.tried ?? ''
  const [number, writer] = acknowledged.split(':')
  return { acknowledged, tried: `${String(Number(number) + 1)}:${String(writer)}` }
}
