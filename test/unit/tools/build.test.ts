import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

test('a build before npm ci says what to do, without a stack', () => {
  const clone = mkdtempSync(join(tmpdir(), 'edge-kms-build-'))
  onTestFinished(() => {
    rmSync(clone, { recursive: true, force: true })
  })
  for (const path of ['tools/build.mjs', 'tools/lib/folders.mjs']) cpSync(path, join(clone, path))

  const built = spawnSync(process.execPath, ['tools/build.mjs'], { cwd: clone, encoding: 'utf8' })

  expect(built.status).toBe(1)
  expect(built.stderr.trim()).toBe('edge-kms: the packages are not installed. Run: npm ci')
  expect(built.stdout).toBe('')
})
