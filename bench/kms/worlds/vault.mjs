/** Vault's transit engine. */
import { createFakeVault } from '../../../adapters/fakes/index.ts'

export function createWorld() {
  const fake = createFakeVault({ keys: [{ name: 'app' }] })
  return {
    fake,
    urlOf: (incoming) => `${fake.endpoint}${incoming.url}`,
    // Requests with another token, form or context must get an answer of their own.
    operationOf: ({ url, headers }, body) => {
      const [context] = /"associated_data":"[^"]*"/.exec(body) ?? []
      return `${url} ${headers['x-vault-token']} ${body.includes('batch_input')} ${context}`
    },
    place: { key: 'app', token: fake.token },
  }
}
