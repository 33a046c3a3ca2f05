/**
 * Google's own client observes a KMS, so that servers can be compared. A scenario
 * states nothing about right or wrong: expected.json does.
 */
import { accessScenarios } from './scenarios/access.mjs'
import { decryptScenarios } from './scenarios/decrypt.mjs'
import { encryptScenarios } from './scenarios/encrypt.mjs'
import { keyScenarios } from './scenarios/keys.mjs'

/** @type {readonly import('./world.mjs').Scenario[]} */
export const scenarios = [
  ...keyScenarios,
  ...encryptScenarios,
  ...decryptScenarios,
  ...accessScenarios,
]
