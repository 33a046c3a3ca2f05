import { configError, deniedVariables, wrongOption } from '../checks/index.ts'
import { chosenVariables, familyOf, KEY_VARIABLES } from './key-variables.ts'
import type { KmsSource } from './stack-options.ts'

/**
 * Returns the source that the environment chooses. Only the variables of this package choose: credentials that
 * happen to be there never decide where data keys are wrapped.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if no variable is set, if two are, or if no source is for the one that is
 */
export function chooseKms(env: object, given: KmsSource | readonly KmsSource[]): KmsSource {
  const sources = sourcesOf(given)
  const [variable, other] = chosenVariables(env)
  if (variable !== undefined && other !== undefined)
    throw configError(`${variable} and ${other} are both set: remove one of them`)
  const [only] = sources
  if (only !== undefined && sources.length === 1 && only.variables === undefined) return only
  if (variable === undefined) {
    const names = [...new Set(sources.flatMap(({ variables = [] }) => variables))]
    const denied = deniedVariables(env, names)
    throw configError(`no key is set or readable: set ${names.join(' or ')}${denied}`)
  }
  const family = familyOf(variable)
  const source = sources.find(({ variables = [] }) => variables.includes(family))
  if (source !== undefined) return source
  const maker = KEY_VARIABLES.find(({ name }) => name === family)?.maker ?? 'its source'
  throw configError(`${variable} is set, and kms has no source for it: add ${maker}`)
}

function sourcesOf(given: unknown): readonly KmsSource[] {
  const sources: readonly unknown[] = Array.isArray(given) ? (given as unknown[]) : [given]
  if (sources.length === 0 || !sources.every(isSource))
    throw wrongOption('kms', 'a function such as awsKmsFromEnv, or a list of them', given)
  if (sources.length > 1 && sources.some(({ variables }) => variables === undefined))
    throw configError('each of several sources in kms must have variables, which choose it')
  return sources
}

function isSource(value: unknown): value is KmsSource {
  return typeof value === 'function'
}
