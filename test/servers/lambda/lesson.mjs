/** The lesson, followed by copying: its files, its commands, and what it says that they print. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, toolEnv } from '../../../tools/lib/folders.mjs'
import { packInto, scratchFolder } from '../../../tools/lib/pack.mjs'
import { openShell, stepsOf } from '../../examples/lesson-steps.mjs'

const LESSON = join(root, 'docs/lessons/lambda.md')

/** moto as somebody starts it: empty, and it lets everything pass. The lesson's credentials are made up. */
async function openMoto(url) {
  await (await fetch(`${url}/moto-api/reset`, { method: 'POST' })).arrayBuffer()
  const init = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '1000' }
  await (await fetch(`${url}/moto-api/reset-auth`, init)).arrayBuffer()
}

export async function checkLesson(check, { aws }) {
  await check('the lesson, followed by copying, ends with a decrypted value', async () => {
    await openMoto(aws.endpoint)
    const folder = scratchFolder('lesson')
    const { tarball } = packInto(folder)
    const address = aws.endpoint.replace('http://', '')
    const env = { ...toolEnv(), EDGE_KMS: tarball, TMPDIR: folder }
    for (const name of Object.keys(env))
      if (name.startsWith('AWS_')) Reflect.deleteProperty(env, name)
    const shell = openShell(folder, env)
    const printed = []
    for (const { file, command = '', prints, text } of stepsOf(readFileSync(LESSON, 'utf8'))) {
      if (file !== undefined) {
        shell.save(file, text)
        continue
      }
      const output = shell.run(command.replaceAll('127.0.0.1:5000', address))
      if (prints === undefined) continue
      assert.equal(output, prints, command)
      printed.push(output)
    }
    assert.ok(printed.length >= 4)
    assert.ok(printed.includes('4111111111111111\n'))
  })
}
