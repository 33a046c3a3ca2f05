/**
 * Writes the API reference to docs/reference/api: a page for each subpath, from the doc comments of what it exports.
 * A warning of typedoc fails it: a link in a comment that leads nowhere, a type that is used and not exported.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Application, ReflectionKind, TSConfigReader } from 'typedoc'
import { root } from '../../../tools/lib/folders.mjs'
import { repository } from '../../../tools/lib/repository.mjs'
import { subpaths } from '../../../tools/lib/subpaths.mjs'
import { internals } from './internals.mjs'

const to = join(root, 'docs/reference/api')

/** @type {import('typedoc').TypeDocOptions & import('typedoc-plugin-markdown').PluginOptions} */
const options = {
  entryPoints: subpaths.map(({ source }) => join(root, source)),
  tsconfig: join(root, 'tsconfig.build.json'),
  plugin: ['typedoc-plugin-markdown', join(import.meta.dirname, 'names.mjs')],
  intentionallyNotExported: internals,
  excludeInternal: true,
  readme: 'none',
  basePath: root,
  displayBasePath: root,
  disableGit: true,
  sourceLinkTemplate: `${repository}/blob/main/{path}#L{line}`,
  logLevel: 'Warn',
  outputs: [{ name: 'markdown', path: to }],
  router: 'module',
  entryFileName: 'index',
  groupOrder: ['Functions', 'Classes', 'Variables', '*'],
  // The site numbers headings of one name in another way than the plugin does.
  useHTMLAnchors: true,
  anchorPrefix: 'api-',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  propertyMembersFormat: 'table',
  enumMembersFormat: 'table',
  tableColumnSettings: {
    hideSources: true,
    hideModifiers: true,
    hideInherited: true,
    hideOverrides: true,
  },
}

/** The first paragraph of a module's comment. */
function summary(module) {
  const parts = module.comment?.summary ?? []
  const text = parts.map(({ text: one }) => one).join('')
  return text.split('\n\n')[0].replaceAll('\n', ' ').trim()
}

/** Returns the page that lists the subpaths, in the order of deno.json. */
function indexPage(project) {
  const modules = new Map(
    project.getReflectionsByKind(ReflectionKind.Module).map((module) => [module.name, module]),
  )
  const rows = subpaths.map(({ subpath }) => {
    const name = subpath.replace(/^\./, 'edge-kms')
    const module = modules.get(name)
    if (module === undefined) throw new Error(`typedoc found no module ${name}`)
    return `| [\`${name}\`](${name}.md) | ${summary(module)} |`
  })
  return [
    '# API',
    '',
    'Every export of every subpath. You bundle only the subpaths that you import.',
    '',
    '| Subpath | Contents |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n')
}

rmSync(to, { recursive: true, force: true })
const app = await Application.bootstrapWithPlugins(options, [new TSConfigReader()])
const project = await app.convert()
if (project === undefined) throw new Error('typedoc could not read the sources')
app.validate(project)
await app.generateOutputs(project)
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1
writeFileSync(join(to, 'index.md'), indexPage(project))
