import { configError } from '../../checks/index.ts'

/** Primary result codes, and the words that drivers and D1 have for them. */
const FAULTS = [
  {
    primary: 19,
    word: /SQLITE_CONSTRAINT/,
    says: 'has a constraint or trigger that refuses a rewrapped message: widen it',
  },
  {
    primary: 8,
    word: /SQLITE_READONLY/,
    says: 'cannot be written: open the database for writing',
  },
  {
    primary: 1,
    word: /SQLITE_ERROR/,
    says: 'cannot be read or written with these options: correct where, or was a column dropped?',
  },
] as const

/**
 * Returns the error of a failure that a retry cannot mend, `undefined` for any other. SQLite's own words may hold values.
 *
 * @see https://www.sqlite.org/rescode.html
 */
export function sqliteFault(error: unknown, place: string): Error | undefined {
  const { code, errcode, message } = Object(error) as Readonly<Record<string, unknown>>
  // node:sqlite has the extended code as a number, whose lowest byte is the primary one.
  const primary = typeof errcode === 'number' ? errcode & 0xff : undefined
  const words = [code, message].filter((one) => typeof one === 'string').join(' ')
  const fault = FAULTS.find((one) => one.primary === primary || one.word.test(words))
  return fault && configError(`${place} ${fault.says}`)
}
