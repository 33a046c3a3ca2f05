/** The suite of all runtimes, over a package whose providers are allowed in a browser: the fakes are not a cloud. */
import * as core from 'edge-kms'
import * as aws from 'edge-kms/aws-kms'
import * as azure from 'edge-kms/azure-key-vault'
import * as config from 'edge-kms/config'
import * as gcp from 'edge-kms/gcp-kms'
import * as local from 'edge-kms/local'
import * as sharedKeys from 'edge-kms/shared-keys'
import * as stores from 'edge-kms/stores'
import * as testing from 'edge-kms/testing'
import * as vault from 'edge-kms/vault-transit'
// @ts-expect-error -- made beside this file in the scratch folder
import { runCases } from './report.mjs'
// @ts-expect-error -- made beside this file in the scratch folder
import { runtimeSuite } from './suite.js'

const allowed = (make) => (options) => make({ ...options, dangerouslyAllowBrowser: true })
const { createKms } = config
/** A source of `stackFromEnv` keeps the variables by which it is chosen. */
const allowedSource = (source) =>
  Object.assign((env, options) => source(env, { ...options, dangerouslyAllowBrowser: true }), {
    variables: source.variables,
  })
const library = {
  core,
  aws: { ...aws, createAwsKms: allowed(aws.createAwsKms) },
  azure: { ...azure, createAzureKeyVaultKms: allowed(azure.createAzureKeyVaultKms) },
  config: {
    ...config,
    createKms: (given, options) => createKms(allowedIn(given), options),
    anyKmsFromEnv: allowedSource(config.anyKmsFromEnv),
  },
  gcp: { ...gcp, createGcpKms: allowed(gcp.createGcpKms) },
  local: { ...local, localKmsFromEnv: allowedSource(local.localKmsFromEnv) },
  sharedKeys,
  stores,
  testing,
  vault: { ...vault, createVaultTransitKms: allowed(vault.createVaultTransitKms) },
}

/** A local key has no such rule. */
function allowedIn(given) {
  return given?.provider === 'local' ? given : { ...given, dangerouslyAllowBrowser: true }
}

globalThis.runSuite = () => runCases(runtimeSuite(library))
