/** Cases for the files that `edge-kms/node` reads on Node, Deno and Bun. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const OLD = 'b2xk.Ym9keQ.c2lnbg'
const NEW = 'bmV3.Ym9keQ.c2lnbg'

/**
 * @param {{ nodeFileToken: (path: string) => () => Promise<string>, nodeReferences: (reference: any) => string | undefined }} node
 * @returns {{ name: string, run: () => Promise<void> }[]}
 */
export function fileCases({ nodeFileToken, nodeReferences }) {
  const inFolder = async (
    /** @type {(path: string, write: (text: string) => void) => Promise<void>} */ work,
  ) => {
    const folder = mkdtempSync(join(tmpdir(), 'edge-kms-files-'))
    const path = join(folder, 'token')
    const write = (/** @type {string} */ text) => {
      writeFileSync(`${path}.new`, text)
      renameSync(`${path}.new`, path)
    }
    try {
      write(`${OLD}\n`)
      await work(path, write)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  const check = (/** @type {unknown} */ seen, /** @type {unknown} */ right) => {
    if (seen !== right) throw new Error(`${String(seen)}, not ${String(right)}`)
  }
  const codeOf = (/** @type {Promise<unknown>} */ work) =>
    work.then(
      () => 'no error',
      (/** @type {unknown} */ error) => Object(error).code,
    )
  return [
    {
      name: 'files: a token is read again once it is replaced',
      run: () =>
        inFolder(async (path, write) => {
          const token = nodeFileToken(path)
          check(await token(), OLD)
          write(`${NEW}\n`)
          check(await token(), NEW)
          check(nodeReferences({ file: path }), NEW)
        }),
    },
    {
      name: 'files: one that is not there, or holds no token, is refused',
      run: () =>
        inFolder(async (path, write) => {
          check(await codeOf(nodeFileToken(`${path}-none`)()), 'ERR_KMS_CONFIG')
          write('no token')
          check(await codeOf(nodeFileToken(path)()), 'ERR_KMS_UNAUTHENTICATED')
        }),
    },
  ]
}
