/** The example compiles and can be deployed; what would be uploaded is what the other checks run. */
import assert from 'node:assert/strict'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureFolder, node24, root } from '../../../tools/lib/folders.mjs'
import { runIn } from './project.mjs'

/** @param {string} name */
const configOf = (name) => `${name}/wrangler.toml`

/**
 * @param {import('./world.mjs').Report} report
 * @param {import('./project.mjs').Project} project
 */
export async function checkDeploy({ check }, project) {
  const old = join(ensureFolder('package'), 'node_modules/typescript-5.9/bin/tsc')
  const compilers = { 5.9: old, 7: join(root, 'node_modules/typescript/bin/tsc') }
  const types = join(project.folder, 'app/worker-configuration.d.ts')

  await check('wrangler types writes the types of the bindings that the example has', () => {
    const before = join(project.folder, 'before.d.ts')
    copyFileSync(types, before)
    runIn(project, 'npm', ['run', 'types'])
    assert.equal(readFileSync(types, 'utf8'), readFileSync(before, 'utf8'))
    assert.match(readFileSync(types, 'utf8'), /KMS: Service<typeof import\("[^"]+"\)\.Vault>/)
  })
  for (const [version, compiler] of Object.entries(compilers)) {
    await check(`the example compiles under TypeScript ${version}, without a cast`, () => {
      assert.match(
        runIn(project, node24, [compiler, '--version']),
        new RegExp(`^Version ${version}`),
      )
      runIn(project, node24, [compiler, '-p', '.', '--pretty', 'false'])
      for (const file of ['index', 'customers', 'files'])
        assert.doesNotMatch(
          readFileSync(join(project.folder, `app/src/${file}.ts`), 'utf8'),
          /env\.\w+ as /,
        )
    })
  }
  for (const name of ['vault', 'app']) {
    await check(`wrangler deploy --dry-run of ${name} passes`, () => {
      const out = join(project.folder, `out-${name}`)
      const said = runIn(project, 'wrangler', [
        'deploy',
        '--dry-run',
        '-c',
        configOf(name),
        '--outdir',
        out,
      ])
      console.log(`${name}: ${/Total Upload: .*/.exec(said)?.[0] ?? said}`)
      const bindings =
        { vault: ['EDGE_KMS_STORE', 'FILES'], app: ['DB', 'KMS', 'FILES'] }[name] ?? []
      for (const binding of bindings) assert.ok(said.includes(`env.${binding}`), binding)
    })
  }
}
