/** The options of JSON configurations, from their schemas, and the variables. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lib/folders.mjs'
import { optionRows, resolved, variantsOf } from './schema.mjs'
import { code, table } from './table.mjs'
import { checkVariables, variables } from './variables.mjs'

const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))
const HEAD = ['Option', 'Value', 'Required']

/** The options of `kms` inside this one are those of the providers. */
const oneKms = { words: 'a configuration of another provider on this page' }

/** Credentials by their `type`: the options of each under a heading. */
function credentialTables(schema, document) {
  const name = ['credentials', 'auth'].find((one) => schema.properties[one] !== undefined)
  if (name === undefined) return []
  const variants = variantsOf(resolved(schema.properties[name], document), document)
  return variants.map((variant) => {
    const rows = optionRows(variant, document, { skip: ['$schema', 'type'] })
    return `\`${name}\` of type \`${variant.properties.type.const}\`:\n\n${table(HEAD, rows)}`
  })
}

function providerSection(schema, document) {
  const provider = schema.properties.provider.const
  const own =
    provider === 'by-context'
      ? { ...schema, properties: { ...schema.properties, kms: oneKms } }
      : schema
  const rows = optionRows(own, document, { skip: ['$schema', 'provider'] })
  return [`### \`${provider}\``, table(HEAD, rows), ...credentialTables(schema, document)].join(
    '\n\n',
  )
}

/** @returns {Record<string, string>} */
export function configurationTables() {
  checkVariables()
  const one = read('kms-config.schema.json')
  const stack = read('resilient-kms-config.schema.json')
  const kms = { words: 'a configuration of one KMS, as above, or a list of them' }
  const whole = { ...stack, properties: { ...stack.properties, kms } }
  return {
    variables: table(
      ['Variable', 'Value', 'Read by'],
      Object.entries(variables).map(([name, [meaning, reader]]) => [code(name), meaning, reader]),
    ),
    providers: variantsOf(one, one)
      .toSorted((a, b) => (a.properties.provider.const < b.properties.provider.const ? -1 : 1))
      .map((variant) => providerSection(variant, one))
      .join('\n\n'),
    stack: table(HEAD, optionRows(whole, stack)),
  }
}
