/** Google's own client and an issuer of tokens that others wrote, from the tool folder that pins them. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ensureFolder } from '../../../tools/lib/folders.mjs'

const requireOf = () => createRequire(join(ensureFolder('clients/gcp'), 'package.json'))

/** @returns {import('./world.mjs').Sdk} */
export function loadSdk() {
  // Ambient projects and credentials must not reach a test.
  for (const name of Object.keys(process.env))
    if (/^(GOOGLE|GCLOUD|GCE|CLOUDSDK)_/.test(name)) Reflect.deleteProperty(process.env, name)
  return requireOf()('@google-cloud/kms')
}

/** @returns {any} the module `oauth2-mock-server` */
export const loadIssuer = () => requireOf()('oauth2-mock-server')

/** @returns {any} the module `@grpc/grpc-js` that Google's client brings */
export const loadGrpc = () => requireOf()('@grpc/grpc-js')

/** @returns {any} a client of google-auth-library that holds this access token */
export function loadOAuth(token) {
  const { OAuth2Client } = requireOf()('google-auth-library')
  const auth = new OAuth2Client()
  auth.setCredentials({ access_token: token, expiry_date: Date.now() + 3_600_000 })
  return auth
}
