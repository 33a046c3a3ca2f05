import type * as z from 'zod/mini'
import {
  describe,
  nearest,
  optionError,
  unknownOption,
  wrongNumber,
  wrongOption,
} from '../checks/index.ts'
import type { KmsError } from '../errors.ts'

/** The part of a schema that the walk reads. */
interface Seen {
  readonly type: string
  readonly shape?: Readonly<Record<string, Schema>>
  readonly options?: readonly Schema[]
  readonly innerType?: Schema
  readonly in?: Schema
  readonly element?: Schema
  readonly valueType?: Schema
  readonly getter?: () => Schema
  readonly discriminator?: string
  readonly values?: readonly unknown[]
  readonly entries?: Readonly<Record<string, unknown>>
}
interface Schema {
  readonly _zod: { readonly def: Seen }
}

/**
 * Returns the error of a wrong configuration: its path and the nearest known name, never a value.
 *
 * @param config - to tell which variant of a union was meant
 */
export function problemOf(
  error: z.core.$ZodError,
  schema: z.core.SomeType,
  config: unknown,
): KmsError {
  const issue = firstOf(error.issues)
  const path = issue.path.map(String)
  const at = walk(schema, config, path)
  const name = pathText(path)
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    const like = nearest(key, Object.keys(at?.shape ?? {}))
    return unknownOption(`${pathText([...path, key])}${meant(like)}`)
  }
  const discriminator = path.at(-1) ?? ''
  const above = walk(schema, config, path.slice(0, -1))
  if (above?.discriminator === discriminator) {
    const known = (above.options ?? []).flatMap((one) => literalOf(one, discriminator))
    const given = valueAt(config, path)
    const like = typeof given === 'string' ? nearest(given, known) : undefined
    return optionError(
      name,
      `must be one of ${known.join(', ')}, got ${describe(given)}${meant(like)}`,
    )
  }
  const expected = issue.code === 'custom' ? issue.message : expectedOf(issue, at)
  const value = valueAt(config, path)
  if (value === undefined) return optionError(name, `is missing: it must be ${expected}`)
  return at?.type === 'number'
    ? wrongNumber(name, expected, value)
    : wrongOption(name, expected, value)
}

/** Returns what completes "must be …". */
function expectedOf(issue: z.core.$ZodIssue, at: Seen | undefined): string {
  if (issue.code === 'too_big') return `at most ${String(issue.maximum)}`
  if (issue.code !== 'too_small') return formOf(at, issue)
  const least = `${issue.inclusive === false ? 'above' : 'at least'} ${String(issue.minimum)}`
  return issue.origin === 'array' ? `an array of ${least} item` : least
}

const FORMS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  record: 'an object of strings',
  null: 'null',
}

/** Returns what a schema takes, in words. */
function formOf(def: Seen | undefined, issue?: z.core.$ZodIssue): string {
  const { type, entries, values, shape, options } = def ?? { type: '' }
  if (entries !== undefined) return `one of ${Object.keys(entries).join(', ')}`
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' or ')
  const [only] = Object.keys(shape ?? {})
  if (only === 'env' || only === 'file') return `{ "${only}": "…" }`
  if (options !== undefined && def?.discriminator === undefined) {
    const forms = options.map((one) => formOf(bare(one, undefined)))
    return [...new Set(forms)].join(' or ')
  }
  if (issue?.code === 'invalid_type' && issue.expected === 'int') return 'an integer'
  return FORMS[type] ?? 'an object'
}

/**
 * Of what is wrong, a name that nobody knows first: it is why another one is missing. Inside a union
 * zod says which variant failed how; the issue that went deepest is what was meant.
 */
function firstOf(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue {
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  if (issue === undefined) throw new TypeError('no issue')
  if (issue.code !== 'invalid_union') return issue
  const within = issue.errors
    .flat()
    .filter(({ path, code }) => path.length > 0 || code === 'unrecognized_keys')
  const [deepest] = within.sort((a, b) => depthOf(b) - depthOf(a))
  return deepest === undefined
    ? issue
    : firstOf([{ ...deepest, path: [...issue.path, ...deepest.path] }])
}

/** An unknown name is a level below its object. */
function depthOf({ path, code }: z.core.$ZodIssue): number {
  return path.length + (code === 'unrecognized_keys' ? 1.5 : 0)
}

/** The definition at a path, wrappers and variants that were not meant taken away. */
function walk(schema: Schema, value: unknown, path: readonly string[]): Seen | undefined {
  const def = bare(schema, value)
  const [name, ...rest] = path
  if (name === undefined) return def
  const item = def?.discriminator === undefined ? (def?.element ?? def?.valueType) : undefined
  const inside = def?.shape?.[name] ?? item
  return inside === undefined ? undefined : walk(inside, memberOf(value, name), rest)
}

function bare({ _zod: { def } }: Schema, value: unknown): Seen | undefined {
  const inner = def.innerType ?? def.in ?? (def.type === 'lazy' ? def.getter?.() : undefined)
  if (inner !== undefined) return bare(inner, value)
  if (def.type !== 'union') return def
  const { discriminator, options = [] } = def
  const chosen = options.find((one) =>
    discriminator === undefined
      ? fits(bare(one, value), value)
      : literalOf(one, discriminator).includes(String(memberOf(value, discriminator))),
  )
  return chosen === undefined ? def : bare(chosen, value)
}

/** Whether a value is meant for this option of a union that has no discriminator. */
function fits(def: Seen | undefined, value: unknown): boolean {
  if (Array.isArray(value)) return def?.element !== undefined
  return typeof value === 'object' && (def?.shape ?? def?.discriminator) !== undefined
}

function literalOf(option: Schema, name: string): readonly string[] {
  return (option._zod.def.shape?.[name]?._zod.def.values ?? []).map(String)
}

function valueAt(config: unknown, path: readonly string[]): unknown {
  return path.reduce(memberOf, config)
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}

function pathText(path: readonly string[]): string {
  // A name may be any text of a JSON document: the message repeats only what looks like a name.
  const safe = path.map((one) => (/^[$\w-]{1,64}$/.test(one) ? one : '?'))
  return safe.length === 0 ? 'the configuration' : safe.join('.')
}

function meant(name: string | undefined): string {
  return name === undefined ? '' : `: did you mean ${name}?`
}
