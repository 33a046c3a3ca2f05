// The docs say what a user must know where the user looks: at the method, in the guide, in the workflow.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { EnvelopeCipher } from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'

const read = (path: string): string =>
  readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

/** The doc comment above a method. */
function commentOf(path: string, method: string): string {
  const before = read(path).split(`\n  ${method}(`)[0] ?? ''
  return before.slice(before.lastIndexOf('/**')).replaceAll(/\s*\n\s*\*\s*/g, ' ')
}

it('a Buffer comes back as a plain Uint8Array, and the methods say so', async () => {
  const key = crypto.getRandomValues(new Uint8Array(32))
  const cipher = new EnvelopeCipher({ kms: createLocalKms({ versions: [{ version: 1, key }] }) })
  const opened = await cipher.decrypt(await cipher.encrypt(Buffer.from('4111 1111')))
  expect(Buffer.isBuffer(opened)).toBe(false)
  expect(Buffer.from(opened).toString()).toBe('4111 1111')
  for (const method of ['encrypt', 'decrypt'])
    expect(commentOf('src/envelope/envelope-cipher.ts', method)).toContain(
      'Returns a plain `Uint8Array`, never a `Buffer`',
    )
})

it('no guide of a provider says that isolates share nothing', () => {
  for (const name of ['aws-kms', 'azure-key-vault', 'gcp-kms', 'vault-transit'])
    expect(read(`docs/providers/${name}.md`)).not.toMatch(/share nothing/i)
})

it('a release has provenance, pins every action to a commit, and stores no token', () => {
  const { publishConfig } = JSON.parse(read('package.json')) as { publishConfig?: object }
  expect(publishConfig).toMatchObject({ provenance: true })
  const workflow = read('.github/workflows/release.yml')
  const actions = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action = '']) => action)
  expect(actions.length).toBeGreaterThan(0)
  for (const action of actions) expect(action).toMatch(/^actions\/[\w-]+@[0-9a-f]{40}$/)
  expect(workflow).toMatch(/^permissions: \{\}$/m)
  expect(workflow.match(/id-token: write/g)).toHaveLength(1)
  expect(workflow).not.toMatch(/secrets\.|NODE_AUTH_TOKEN/)
})
