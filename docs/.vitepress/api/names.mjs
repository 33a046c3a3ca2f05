/** A plugin of typedoc: modules are called as users import them, `edge-kms/aws-kms`, not by the paths of their sources. */
import { relative } from 'node:path'
import { Converter, ReflectionKind } from 'typedoc'
import { root } from '../../../tools/lib/folders.mjs'
import { subpaths } from '../../../tools/lib/subpaths.mjs'

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      const sources = module.isDeclaration() ? module.sources : undefined
      const file = sources?.[0]?.fullFileName ?? ''
      const entry = subpaths.find(({ source }) => source === `./${relative(root, file)}`)
      if (entry !== undefined) module.name = entry.subpath.replace(/^\./, 'edge-kms')
    }
  })
}
