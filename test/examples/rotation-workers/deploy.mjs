/** The example compiles and can be deployed. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { node24, root } from '../../../tools/lib/folders.mjs'
import { copyExample } from '../project.mjs'
import { runIn } from '../workers/project.mjs'

/** Returns the example over the packed package. */
export const openProject = () =>
  copyExample('rotation-workers', [
    'package.json',
    'tsconfig.json',
    'wrangler.toml',
    'migrations',
    'src',
  ])

/**
 * Leaves the bundle in the folder `out` of the project.
 *
 * @param {import('../workers/world.mjs').Report} report
 * @param {ReturnType<typeof openProject>} project
 */
export async function checkDeploy({ check }, project) {
  await check('rotation-workers compiles with the settings of its own tsconfig.json', () => {
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    runIn(project, node24, [compiler, '-p', '.', '--pretty', 'false'])
  })
  await check('wrangler deploy --dry-run of rotation-workers passes', () => {
    const said = runIn(project, 'wrangler', ['deploy', '--dry-run', '--outdir', 'out'])
    console.log(`rotation-workers: ${/Total Upload: .*/.exec(said)?.[0] ?? said}`)
    for (const binding of ['DB', 'DATA_KEYS', 'ROTATION', 'SOURCES'])
      assert.ok(said.includes(`env.${binding}`), binding)
  })
}
