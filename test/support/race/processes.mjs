/** Two processes race on one key, and processes are killed in the middle of a write. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** @typedef {{ command: string, args: readonly string[], env?: Record<string, string> }} Program takes `<key> <me> <mode> <number>` as well */

/**
 * @param {Program} program
 * @param {readonly string[]} more
 */
function start({ command, args, env = {} }, more) {
  const child = spawn(command, [...args, ...more], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  const lines = []
  const reader = createInterface(child.stdout)
  reader.on('line', (line) => lines.push(JSON.parse(line)))
  const ready = once(reader, 'line')
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')])
  return { child, lines, ready, ended: ended.then(([[code, signal]]) => signal ?? code) }
}

/**
 * Both write the chain to its end: each link is won by exactly one of them.
 *
 * @param {Program} program
 * @returns {Promise<{ won: number[], lost: number, busy: number }>}
 */
export async function raceTwo(program, key, end) {
  const two = ['a', 'b'].map((me) => start(program, [key, me, 'race', String(end)]))
  // The start-up of one must not be the whole race of the other.
  await Promise.all(two.map(({ ready, ended }) => Promise.race([ready, ended])))
  for (const { child } of two) child.stdin.end('go\n')
  for (const { ended } of two) assert.equal(await ended, 0)
  const links = two.map(({ lines }) => lines.flatMap(({ won }) => won ?? []))
  const numbers = links.flat().map((link) => Number.parseInt(link, 10))
  const whole = Array.from({ length: end }, (_, i) => i + 1)
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    whole,
  )
  const sum = (name) => two.reduce((all, { lines }) => all + (lines.at(-1)?.[name] ?? 0), 0)
  const [lost, busy] = [sum('lost'), sum('busy')]
  assert.notEqual(lost + busy, 0, 'nobody lost: there was no race')
  return { won: links.map(({ length }) => length), lost, busy }
}

/**
 * Processes that die in the middle of a write: what is there afterwards is what was before or what
 * was written, never a third.
 *
 * @param {Program} program
 * @param {() => Promise<string>} link what the store holds now
 * @param {readonly number[]} delaysMs how long each process lives after it began
 * @returns {Promise<{ before: number, after: number }>}
 */
export async function killWriters(program, key, link, delaysMs) {
  let [before, after] = [0, 0]
  for (const delay of delaysMs) {
    const { lines, ended } = start(program, [key, 'k', 'crash', String(delay)])
    assert.equal(await ended, 'SIGKILL')
    const { seen, tried } = lines[0]
    const found = await link()
    assert.ok(found === seen || found === tried, `${found} is neither ${seen} nor ${tried}`)
    if (found === seen) before++
    else after++
  }
  assert.notEqual(after, 0, 'no write ever arrived')
  return { before, after }
}
