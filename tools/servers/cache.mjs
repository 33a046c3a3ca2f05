/**
 * Installs a server once per machine, in a cache folder outside the tree. An install is made in a
 * folder of its own and renamed when it is whole, so that nobody sees half of one.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const base = () => process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')

/** `~/.cache/edge-kms/servers`, or the same below XDG_CACHE_HOME. */
export const cacheFolder = () => join(base(), 'edge-kms', 'servers')

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** @returns whether this process now holds the lock */
function tryLock(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  let owner = ''
  try {
    owner = readFileSync(lock, 'utf8')
  } catch {
    return false
  }
  // A holder that was killed leaves its lock behind. Two that clear it at once are harmless: the
  // rename below decides.
  if (owner !== '' && !isAlive(Number(owner))) rmSync(lock, { force: true })
  return false
}

/**
 * The folder of `recipe`, installed if it is not there yet; a second process waits for the first.
 *
 * @param {{ name: string, version: string, install: (folder: string) => void }} recipe
 */
export async function ensureInstalled(recipe) {
  const folder = join(cacheFolder(), `${recipe.name}-${recipe.version}`)
  if (existsSync(folder)) return folder
  mkdirSync(cacheFolder(), { recursive: true })
  const lock = `${folder}.lock`
  while (!tryLock(lock)) {
    await sleep(200)
    if (existsSync(folder)) return folder
  }
  const fresh = mkdtempSync(`${folder}.new-`)
  try {
    if (existsSync(folder)) return folder
    process.stderr.write(`installing ${recipe.name} ${recipe.version} into ${folder}\n`)
    recipe.install(fresh)
    moveInto(fresh, folder)
    return folder
  } finally {
    rmSync(fresh, { recursive: true, force: true })
    rmSync(lock, { force: true })
  }
}

function moveInto(fresh, folder) {
  try {
    renameSync(fresh, folder)
  } catch (error) {
    // Someone else's install came first, and is as good.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  }
}
