/**
 * Microsoft's official clients observe Entra ID, a vault and a Managed HSM.
 * A scenario states nothing about right or wrong: expected.json does.
 */
import { keyScenarios } from './scenarios/keys.mjs'
import { tokenScenarios } from './scenarios/tokens.mjs'
import { wrappingScenarios } from './scenarios/wrapping.mjs'

/** @type {readonly import('./world.mjs').Scenario[]} */
export const scenarios = [...tokenScenarios, ...keyScenarios, ...wrappingScenarios]
