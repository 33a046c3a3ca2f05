/**
 * AWS's official client observes a KMS and an STS, so that servers can be compared.
 * A scenario states nothing about right or wrong: expected.json does.
 */
import { accessScenarios } from './scenarios/access.mjs'
import { administrationScenarios } from './scenarios/administration.mjs'
import { dataKeyScenarios } from './scenarios/data-keys.mjs'
import { decryptScenarios } from './scenarios/decrypt.mjs'
import { grantScenarios } from './scenarios/grants.mjs'
import { keyScenarios } from './scenarios/keys.mjs'
import { reEncryptScenarios } from './scenarios/re-encrypt.mjs'
import { rotationScenarios } from './scenarios/rotation.mjs'
import { stateScenarios } from './scenarios/states.mjs'

/** @type {readonly import('./world.mjs').Scenario[]} */
export const scenarios = [
  ...keyScenarios,
  ...dataKeyScenarios,
  ...decryptScenarios,
  ...reEncryptScenarios,
  ...stateScenarios,
  ...rotationScenarios,
  ...accessScenarios,
  ...grantScenarios,
  ...administrationScenarios,
]
