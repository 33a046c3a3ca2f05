import {
  demandVariable,
  fileVariable,
  plainOptions,
  refuseDenied,
  variableOf,
} from '../../checks/index.ts'
import type { RefreshPorts } from '../../runtime/index.ts'
import { azureClientCertificate } from './client-certificate.ts'
import { azureClientSecret } from './client-secret.ts'
import type { EntraOptions } from './entra.ts'
import { azureFederatedToken } from './federated-token.ts'
import { azureAppServiceIdentity, azureManagedIdentity } from './managed-identity.ts'
import type { AzureCredentialSource, AzureToken, AzureTokenOptions } from './token.ts'

/** Tools for a look-up of credentials in an environment. */
export interface AzureEnvOptions extends Partial<RefreshPorts> {
  readonly readTextFile?: ((path: string) => Promise<string>) | undefined
}

const TENANT = 'AZURE_TENANT_ID'
const CLIENT = 'AZURE_CLIENT_ID'
const SECRET = 'AZURE_CLIENT_SECRET'
const CERTIFICATE = 'AZURE_CLIENT_CERTIFICATE_PATH'
const TOKEN_FILE = 'AZURE_FEDERATED_TOKEN_FILE'
const ENDPOINT = 'IDENTITY_ENDPOINT'
const HEADER = 'IDENTITY_HEADER'
/** Credentials that are taken before the identity of the machine. */
const PROOFS = [SECRET, CERTIFICATE, TOKEN_FILE, ENDPOINT]

/**
 * Returns the credentials that an environment names, in the order of Azure's own clients: a client secret, a
 * client certificate, a federated token, the identity of an app, the identity of the machine.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the variable; for a certificate at the first use
 * @see https://learn.microsoft.com/javascript/api/overview/azure/identity-readme#environment-variables
 */
export function azureCredentialsOfEnv(
  env: object,
  options: AzureEnvOptions,
): AzureCredentialSource {
  const { readTextFile, ...ports } = plainOptions(options)
  const clientSecret = variableOf(env, SECRET)
  if (clientSecret !== undefined)
    return azureClientSecret({ ...entraOf(env, SECRET), ...ports, clientSecret })
  const certificate = fileVariable(env, CERTIFICATE, readTextFile)
  if (certificate !== undefined) {
    const entra = entraOf(env, CERTIFICATE)
    return new LaterSource(async () => {
      const pem = await certificate()
      return azureClientCertificate({ ...entra, ...ports, certificate: pem, privateKey: pem })
    })
  }
  const token = fileVariable(env, TOKEN_FILE, readTextFile)
  if (token !== undefined)
    return azureFederatedToken({ ...entraOf(env, TOKEN_FILE), ...ports, token })
  const clientId = variableOf(env, CLIENT)
  const identity = { ...ports, ...(clientId !== undefined && { clientId }) }
  const endpoint = variableOf(env, ENDPOINT)
  if (endpoint === undefined) {
    refuseDenied(env, PROOFS, 'the identity of the machine is used only if no other proof is set')
    return azureManagedIdentity(identity)
  }
  const header = demandVariable(env, HEADER, `${ENDPOINT} is set`)
  return azureAppServiceIdentity({ ...identity, endpoint, header })
}

/** The application that a proof is of. */
function entraOf(env: object, proof: string): EntraOptions {
  const needs = (name: string): string => demandVariable(env, name, `${proof} needs it`)
  const authority = variableOf(env, 'AZURE_AUTHORITY_HOST')
  const isUrl = authority?.includes('://') === true
  return {
    tenantId: needs(TENANT),
    clientId: needs(CLIENT),
    ...(authority !== undefined && { authority: isUrl ? authority : `https://${authority}` }),
  }
}

/** Credentials of a file that can only be read once they are needed. */
class LaterSource implements AzureCredentialSource {
  readonly #make: () => Promise<AzureCredentialSource>
  #source: AzureCredentialSource | undefined

  constructor(make: () => Promise<AzureCredentialSource>) {
    this.#make = make
  }

  async get(options: AzureTokenOptions): Promise<AzureToken> {
    // Two requests may both read: neither waits for what another one began.
    this.#source ??= await this.#make()
    return this.#source.get(options)
  }

  refused(token: AzureToken): void {
    this.#source?.refused(token)
  }
}
