/** The program that runs on every runtime: takes one request as JSON, and gives plain data. */
import { library } from '../runtime/runners/package.mjs'
import { runCases } from '../runtime/runners/report.mjs'
import { read, write } from './exchange.ts'
import { providerCases } from './providers/index.ts'

/**
 * @typedef {{ ask: 'provider' } & import('./providers/index.ts').ProviderRequest} ProviderSuite
 * @typedef {{ ask: 'write', keks: import('./exchange.ts').ExchangeKeks }} WriteRequest
 * @typedef {{ ask: 'read', keks: import('./exchange.ts').ExchangeKeks,
 *   written: import('./exchange.ts').Written[] }} ReadRequest
 */

/** @param {ProviderSuite | WriteRequest | ReadRequest} request */
export async function answer(request) {
  if (request.ask === 'provider') return runCases(providerCases(library, request))
  if (request.ask === 'write') return write(library, request.keks)
  const answers = []
  for (const written of request.written) answers.push(await read(library, request.keks, written))
  return answers
}
