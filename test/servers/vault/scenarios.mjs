/**
 * A client of Vault observes transit and auth, so that servers can be compared.
 * A scenario states nothing about right or wrong: expected.json does.
 */
import { accessScenarios } from './scenarios/access.mjs'
import { batchScenarios } from './scenarios/batches.mjs'
import { bindingScenarios } from './scenarios/binding.mjs'
import { decryptScenarios } from './scenarios/decrypt.mjs'
import { keyScenarios } from './scenarios/keys.mjs'
import { loginScenarios } from './scenarios/logins.mjs'
import { rewrapScenarios } from './scenarios/rewrap.mjs'

/** @type {readonly import('./world.mjs').Scenario[]} */
export const scenarios = [
  ...keyScenarios,
  ...decryptScenarios,
  ...bindingScenarios,
  ...rewrapScenarios,
  ...batchScenarios,
  ...accessScenarios,
  ...loginScenarios,
]
