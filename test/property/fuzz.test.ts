// A tenth of what `npm run fuzz` does in each CI run, in a process of its own: its memory is measured.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const tool = fileURLToPath(new URL('../../tools/fuzz.mjs', import.meta.url))

async function fuzz(...args: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [tool, ...args])
  return stdout.trimEnd().split('\n')
}

/** All lines but those that hold times and memory. */
const stable = (lines: readonly string[]): string[] =>
  lines.filter((line) => !line.startsWith('memory:'))

describe('R36 mutated input', () => {
  it('R36 100,000 inputs cause nothing but a KmsError, in bounded memory', async () => {
    const lines = await fuzz('--count', '100000')
    expect(lines[0]).toMatch(/^fuzz: seed \d+, inputs 0 to 99999$/)
    expect(lines.at(-1), lines.join('\n')).toMatch(/^[1-9]\d* passed, 0 failed$/)
    const inputs = lines.flatMap((line) =>
      [...line.matchAll(/: (\d+) accepted, (\d+) refused/g)].map(
        ([, a, b]) => Number(a) + Number(b),
      ),
    )
    expect(inputs.reduce((sum, one) => sum + one, 0)).toBe(100_000)
  })

  it('R36 a seed plays the same inputs again, and one of them alone', async () => {
    const run = ['--seed', '7', '--count', '3000']
    const first = stable(await fuzz(...run))
    expect(stable(await fuzz(...run))).toEqual(first)
    expect(stable(await fuzz('--seed', '8', '--count', '3000'))).not.toEqual(first)
    const alone = await fuzz('--seed', '7', '--from', '1234', '--count', '1')
    expect(alone[0]).toBe('fuzz: seed 7, inputs 1234 to 1234')
  })

  it('R36 says so when it is asked wrongly', async () => {
    await expect(fuzz('--seed', 'x')).rejects.toMatchObject({ code: 1 })
  })
})
