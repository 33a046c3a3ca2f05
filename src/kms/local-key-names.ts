import { variableNames } from '../checks/index.ts'

const PREFIX = 'EDGE_KMS_KEY'
/** How many versions are looked for where an environment does not list its names. */
const MOST = 64

/** Returns the names of variables that may hold a local key: those that are listed, and the likely ones. */
export function localKeyNames(env: object, prefix: string = PREFIX): readonly string[] {
  const start = `${prefix}_V`
  const listed = variableNames(env).filter((name) => name.startsWith(start))
  const likely = Array.from({ length: MOST }, (_, i) => start + String(i + 1))
  return [...new Set([...listed, ...likely])]
}
