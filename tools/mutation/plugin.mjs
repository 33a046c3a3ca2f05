/** Tells Stryker which mutants of this project are about messages, and which to try. */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { leftOut } from './sample.mjs'
import { SPEAKERS } from './speakers.mjs'

// Of this folder's own lock file, which a check of types may run without.
const api = '@stryker-mutator/api/plugin'
const { commonTokens, declareFactoryPlugin, declareValuePlugin, PluginKind } = await import(api)

const SPEAKS = new Set([...SPEAKERS, 'TypeError', 'RangeError', 'Error'])

/** Leaves the words of errors alone, and details that hold only words. */
const messages = {
  shouldIgnore(path) {
    const { node } = path
    const isText = /^(StringLiteral|TemplateLiteral)$/.test(node.type)
    const isDetails =
      node.type === 'ObjectExpression' &&
      node.properties.every((one) => ['message', 'cause'].includes(one.key?.name))
    if (!isText && !isDetails) return undefined
    if (isText && path.parent.type === 'VariableDeclarator' && path.parent.id.name === 'message') {
      return 'a message'
    }
    const speaker = path.findParent(({ node: { type } }) =>
      /^(NewExpression|CallExpression)$/.test(type),
    )
    const name = speaker?.node.callee?.name ?? ''
    if (!SPEAKS.has(name)) return undefined
    // The first word of a KmsError is its code.
    const isCode = name === 'KmsError' && speaker.node.arguments[0] === node
    return isCode ? undefined : 'a message'
  },
}

/** Stryker leaves what does not compile out of the score: so is what is not in the sample. */
function makeSampler() {
  const choice = JSON.parse(process.env['EDGE_KMS_MUTATION'] ?? '{}')
  const lines = new Map()
  const lineOf = (path, number) => {
    if (!lines.has(path)) lines.set(path, readFileSync(path, 'utf8').split('\n'))
    return lines.get(path)[number - 1]
  }
  return {
    init: () => Promise.resolve(),
    check(mutants) {
      const results = mutants.map(({ id, fileName, location, mutatorName, replacement }) => {
        const { start, end } = location
        const reason = leftOut(
          {
            file: relative(choice.root, fileName),
            line: lineOf(fileName, start.line + 1),
            at: [start.line, start.column, end.line, end.column].join(':'),
            mutator: mutatorName,
            replacement,
          },
          choice,
        )
        return [
          id,
          reason === undefined ? { status: 'passed' } : { status: 'compileError', reason },
        ]
      })
      return Promise.resolve(Object.fromEntries(results))
    },
  }
}
makeSampler.inject = [commonTokens.options]

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'messages', messages),
  declareFactoryPlugin(PluginKind.Checker, 'sample', makeSampler),
]
