/** The lesson, followed by copying: its files, its commands, and what it says that they print. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, toolEnv } from '../../../tools/lib/folders.mjs'
import { packInto, scratchFolder } from '../../../tools/lib/pack.mjs'

const LESSON = join(root, 'docs/lessons/lambda.md')
const FENCE = /(<!-- not run:[^\n]*-->\n)?```(\w+)(?: file=(\S+))?\n([^]*?)```/g

/** The blocks in order; a `text` block belongs to the command before it. */
export function stepsOf(markdown) {
  const steps = []
  for (const [, skipped, language, file, text = ''] of markdown.matchAll(FENCE)) {
    if (skipped !== undefined) continue
    if (file !== undefined) steps.push({ file, text })
    else if (language === 'sh') steps.push({ command: text })
    else if (language === 'text') steps[steps.length - 1].prints = text
  }
  return steps
}

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
    const steps = stepsOf(readFileSync(LESSON, 'utf8'))
    const address = aws.endpoint.replace('http://', '')
    // One shell for all, so that variables and the folder stay; a mark before and after what a step prints.
    const script = ['set -e']
    for (const [at, step] of steps.entries()) {
      if (step.file !== undefined) {
        const path = `.${at}.block`
        writeFileSync(join(folder, path), step.text)
        script.push(`cp ${join(folder, path)} ${step.file}`)
        continue
      }
      script.push(`echo "@@${at}"`, step.command.replaceAll('127.0.0.1:5000', address))
    }
    const env = { ...toolEnv(), EDGE_KMS: tarball, TMPDIR: folder }
    for (const name of Object.keys(env))
      if (name.startsWith('AWS_')) Reflect.deleteProperty(env, name)
    const done = spawnSync('bash', ['-c', script.join('\n')], {
      cwd: folder,
      env,
      encoding: 'utf8',
    })
    assert.equal(done.status, 0, `${done.stdout.slice(-500)} ${done.stderr.slice(-1_500)}`)
    const printed = new Map(
      done.stdout
        .split(/^@@/m)
        .slice(1)
        .map((part) => {
          const end = part.indexOf('\n')
          return [Number(part.slice(0, end)), part.slice(end + 1)]
        }),
    )
    const promises = steps.flatMap(({ prints }, at) => (prints === undefined ? [] : [[at, prints]]))
    assert.ok(promises.length >= 4)
    for (const [at, prints] of promises) assert.equal(printed.get(at), prints)
    assert.ok(promises.some(([, prints]) => prints === '4111111111111111\n'))
  })
}
