/** JSON Schemas as rows of tables. */
import { code, grouped } from './table.mjs'

/** Resolves references. @param {any} schema @param {any} document */
export function resolved(schema, document) {
  let at = schema
  while (at.$ref !== undefined) at = document.$defs[at.$ref.replace('#/$defs/', '')]
  return at
}

/** Returns the variants of a union, resolved. */
export const variantsOf = (schema, document) =>
  (schema.oneOf ?? schema.anyOf ?? []).map((one) => resolved(one, document))

/** A string, or a reference to one by `env` or `file`. */
function isText(schema, document) {
  const properties = variantsOf(schema, document).map(({ type, properties: own }) =>
    own?.env !== undefined ? 'env' : own?.file !== undefined ? 'file' : type,
  )
  return properties.join() === 'string,env,file'
}

function range({ minimum, exclusiveMinimum, maximum }) {
  if (maximum === undefined) return minimum === undefined ? '' : ` from ${grouped(minimum)}`
  if (exclusiveMinimum !== undefined)
    return ` above ${grouped(exclusiveMinimum)}, at most ${grouped(maximum)}`
  return ` from ${grouped(minimum)} to ${grouped(maximum)}`
}

/** Returns what a value may be, in words. */
export function valueOf(given, document) {
  const schema = resolved(given, document)
  if (schema.words !== undefined) return schema.words
  if (schema.const !== undefined) return code(JSON.stringify(schema.const).replaceAll('"', ''))
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ')
  if (isText(schema, document)) return 'text'
  const variants = variantsOf(schema, document)
  if (variants.length > 0) {
    const words = variants.map((one) => one.properties?.type?.const ?? valueOf(one, document))
    const isTagged = variants.every(({ properties }) => properties?.type?.const !== undefined)
    return isTagged
      ? `by \`type\`: ${words.map(code).join(', ')}`
      : [...new Set(words)].join(' or ')
  }
  switch (schema.type) {
    case 'array':
      return `list of: ${valueOf(schema.items, document)}`
    case 'object':
      return schema.properties === undefined ? 'map of strings' : 'object'
    case 'integer':
    case 'number':
      return `${schema.type}${range(schema)}`
    default:
      return schema.type
  }
}

/** The object inside a schema, if there is one: itself, an item, or the only variant that is an object. */
function objectIn(given, document) {
  const schema = resolved(given, document)
  if (schema.properties !== undefined) return { schema, path: '.' }
  if (schema.items !== undefined) {
    const inside = objectIn(schema.items, document)
    return inside && { schema: inside.schema, path: `[]${inside.path}` }
  }
  if (isText(schema, document)) return undefined
  const objects = variantsOf(schema, document).filter(({ properties }) => properties !== undefined)
  return objects.length === 1 ? { schema: objects[0], path: '.' } : undefined
}

/**
 * Returns a row for each option, with the options inside it under dotted names.
 *
 * @param {any} schema an object's
 * @param {any} document
 * @param {{ prefix?: string, skip?: readonly string[] }} [options]
 * @returns {string[][]}
 */
export function optionRows(schema, document, { prefix = '', skip = ['$schema'] } = {}) {
  return Object.entries(schema.properties).flatMap(([name, value]) => {
    if (skip.includes(name)) return []
    const required = schema.required?.includes(name) === true ? 'yes' : ''
    const row = [code(prefix + name), valueOf(value, document), required]
    const inside = objectIn(value, document)
    if (inside === undefined) return [row]
    const rows = optionRows(inside.schema, document, { prefix: prefix + name + inside.path })
    return [row, ...rows]
  })
}
