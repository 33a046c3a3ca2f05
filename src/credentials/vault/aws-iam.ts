import { encodeBase64, encodeUtf8 } from '../../bytes/index.ts'
import { plainOptions, refuseOthers } from '../../checks/index.ts'
import { isKmsError } from '../../errors.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import {
  type AwsCredentialsOption,
  type AwsCredentialSource,
  awsEndpoint,
  type AwsSigner,
  checkRegion,
  signerOf,
  toCredentialSource,
} from '../aws/index.ts'
import { checkText, loginBy, type VaultMount } from './login.ts'
import type { VaultLogin } from './token.ts'

/** Options of {@link vaultAwsIam}. */
export interface VaultAwsIamOptions extends VaultMount {
  /** The role of Vault; by default Vault takes the name of the IAM role or user. */
  readonly role?: string
  readonly credentials: AwsCredentialsOption
  /** The region of the STS that Vault asks; `https://sts.amazonaws.com` by default, as Vault does itself. */
  readonly region?: string
  /** The `iam_server_id_header_value` of the auth method, if one is configured. */
  readonly serverId?: string
  /** Signs the request; by default the network's `awsSigner`, else aws4fetch. */
  readonly signer?: AwsSigner
}

const GET_CALLER_IDENTITY = 'Action=GetCallerIdentity&Version=2011-06-15'

/**
 * Returns a login by AWS IAM: a signed request to STS, which Vault forwards to learn the signer. Vault receives no
 * secret of AWS except a session token.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://developer.hashicorp.com/vault/docs/auth/aws
 */
export function vaultAwsIam(options: VaultAwsIamOptions): VaultLogin {
  const { role, region = 'us-east-1', serverId, credentials, ...rest } = plainOptions(options)
  const { signer, mount, namespace, ...others } = rest
  refuseOthers(others)
  toCredentialSource(credentials, { runtime: webRuntime, network: webNetwork }) // for its check
  if (role !== undefined) checkText('role', role)
  const place = { service: 'sts', region: checkRegion(region) }
  const isGlobal = options.region === undefined
  const host = isGlobal ? 'https://sts.amazonaws.com' : awsEndpoint('sts', region, {})
  if (serverId !== undefined) checkText('serverId', serverId)
  let source: AwsCredentialSource | undefined
  let signing: AwsSigner | undefined
  const request = {
    method: 'POST',
    url: `${host}/`,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      ...(serverId !== undefined && { 'x-vault-aws-iam-server-id': serverId }),
    },
    body: GET_CALLER_IDENTITY,
  } as const
  let last: Awaited<ReturnType<AwsCredentialSource['get']>> | undefined
  const auth = loginBy('aws', { mount, namespace }, async ({ ports }, signal) => {
    source ??= toCredentialSource(credentials, ports)
    signing ??= signerOf(signer, ports.network)
    last = await source.get({ signal })
    const nowMs = ports.runtime.now()
    const headers = await signing.sign({ ...request, ...place, nowMs }, last)
    return {
      ...(role !== undefined && { role }),
      iam_http_request_method: request.method,
      iam_request_url: base64(request.url),
      iam_request_body: base64(request.body),
      iam_request_headers: base64(JSON.stringify(headers)),
    }
  })
  return {
    async login(vault, options) {
      try {
        return await auth.login(vault, options)
      } catch (error) {
        // STS may have refused them: the next login gets others, where there are any.
        if (isKmsError(error, 'ERR_KMS_UNAUTHENTICATED') && last !== undefined)
          source?.refused(last)
        throw error
      }
    },
  }
}

function base64(text: string): string {
  return encodeBase64(encodeUtf8(text))
}
