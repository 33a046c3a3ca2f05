import { createHash } from 'node:crypto'

/** All that happened, in order. Two runs of one seed must have one digest. */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #print: boolean
  lines = 0

  constructor(print: boolean) {
    this.#print = print
  }

  add(atMs: number, who: string, what: string): void {
    const line = `${String(atMs).padStart(9)} ${who} ${what}`
    this.lines += 1
    this.#hash.update(line).update('\n')
    if (this.#print) console.log(line)
  }

  digest(): string {
    return this.#hash.digest('hex').slice(0, 16)
  }
}
