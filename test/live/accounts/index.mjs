/**
 * The accounts that `npm run test:live` knows.
 *
 * @typedef {object} Leftover
 * @property {string} what was made
 * @property {string} byHand the command that removes it if `remove` fails
 * @property {() => Promise<unknown>} remove
 *
 * @typedef {object} OpenAccount
 * @property {object} target of `ProviderRequest`, without keys
 * @property {() => Promise<object>} newKeys for one runtime
 * @property {() => Leftover[]} cleanUp everything that was made so far
 *
 * @typedef {object} Account
 * @property {'aws' | 'azure' | 'gcp' | 'vault'} vendor
 * @property {readonly string[]} required names of variables
 * @property {readonly string[]} optional names of variables
 * @property {readonly string[]} secrets names of variables whose values are never printed
 * @property {(env: Readonly<Record<string, string | undefined>>) => OpenAccount} open asks nothing yet
 */
import { aws } from './aws.mjs'
import { azure } from './azure.mjs'
import { gcp } from './gcp.mjs'
import { vault } from './vault.mjs'

/** @type {Readonly<Record<string, Account>>} */
export const accounts = { aws, azure, gcp, vault }
