/** The request of a run, or the reason for its refusal. Nothing has been asked of anybody yet. */
import { hosts } from '../platforms/hosts.mjs'
import { accounts } from './accounts/index.mjs'

const USAGE = 'npm run test:live -- <aws|azure|gcp|vault> … [--on node24,deno,…]'

/**
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {{ refusal: string, vendors?: string[] } | { vendors: string[], runtimes: string[] }} `vendors` of a refusal: those
 *   whose variables are missing
 */
export function readRequest(args, env) {
  if (env['CI']) return { refusal: 'CI is set: these tests use real accounts, and never run in CI' }
  const at = args.indexOf('--on')
  const runtimes = at === -1 ? ['node24'] : (args[at + 1] ?? '').split(',')
  const vendors = at === -1 ? [...args] : [...args.slice(0, at), ...args.slice(at + 2)]
  if (vendors.length === 0) return { refusal: `name at least one account: ${USAGE}` }
  const unknown = [
    ...vendors.filter((name) => !Object.hasOwn(accounts, name)),
    ...runtimes.filter((name) => !Object.hasOwn(hosts, name)),
  ]
  if (unknown.length > 0) return { refusal: `unknown: ${unknown.join(', ')}. Usage: ${USAGE}` }
  const missing = vendors.map((vendor) => ({
    vendor,
    names: accounts[vendor]?.required.filter((name) => !env[name]) ?? [],
  }))
  const without = missing.filter(({ names }) => names.length > 0)
  if (without.length > 0) {
    const lines = without.map(({ vendor, names }) => `${vendor} needs ${names.join(', ')}`)
    return { refusal: lines.join('\n'), vendors: without.map(({ vendor }) => vendor) }
  }
  return { vendors, runtimes }
}

/**
 * Returns a function that takes the values of secret variables out of a text.
 *
 * @param {Readonly<Record<string, string | undefined>>} env
 */
export function masker(env) {
  const secrets = Object.values(accounts)
    .flatMap((account) => account.secrets.map((name) => env[name] ?? ''))
    .filter((value) => value !== '')
    // The longest first: one may be a part of another.
    .sort((a, b) => b.length - a.length)
  return (/** @type {string} */ text) =>
    secrets.reduce((all, secret) => all.replaceAll(secret, '[secret]'), text)
}
