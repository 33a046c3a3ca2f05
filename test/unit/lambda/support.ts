import { EnvelopeCipher } from '../../../src/index.ts'
import type { LambdaContext } from '../../../adapters/lambda/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { ScriptedKms } from '../../support/scripted-kms.ts'

/** A cipher whose KMS follows a script, and whose clock a test moves. */
export function setup() {
  const world = new FakeWorld()
  const kms = new ScriptedKms()
  const cipher = new EnvelopeCipher({ kms })
  const context = (ms: number): LambdaContext => {
    const endMs = world.nowMs + ms
    return { getRemainingTimeInMillis: () => endMs - world.nowMs }
  }
  return { world, kms, cipher, context, options: { create: () => ({ cipher }), network: world } }
}

/** A promise and its handles. */
export function deferred<T = void>() {
  let resolve: (value: T) => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

export const V2 = {
  version: '2.0',
  routeKey: '$default',
  rawPath: '/cards',
  requestContext: {
    http: { method: 'POST', path: '/cards' },
    domainName: 'id.lambda-url.eu.on.aws',
  },
  isBase64Encoded: false,
}

export const V1 = {
  resource: '/cards',
  path: '/cards',
  httpMethod: 'POST',
  requestContext: { resourcePath: '/cards', httpMethod: 'POST', stage: 'prod' },
}
