import { readFile } from 'node:fs/promises'
import { createNodeNetwork, type NodeNetwork, type NodeNetworkOptions } from './node-network.ts'

/** The tools of Node, Deno and Bun for `stackFromEnv`. */
export interface NodePlatform {
  /** Requests by `node:http` and `node:https`, and signatures for AWS by `node:crypto`. */
  readonly network: NodeNetwork
  /** Reads the files that variables name, such as `AWS_WEB_IDENTITY_TOKEN_FILE`. */
  readonly readTextFile: (path: string) => Promise<string>
}

/**
 * Returns all that Node has to offer to `stackFromEnv`, in one option: requests and signatures for about half the
 * CPU of `fetch` and WebCrypto, and files. It works on Node, Deno, Bun and Lambda. Opens nothing by itself.
 *
 * @param options - those of {@link createNodeNetwork}
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { stackFromEnv } from 'edge-kms'
 * import { awsKmsFromEnv } from 'edge-kms/aws-kms'
 * import { nodePlatform } from 'edge-kms/node'
 *
 * export const { cipher } = stackFromEnv(process.env, { kms: awsKmsFromEnv, ...nodePlatform() })
 * ```
 */
export function nodePlatform(options: NodeNetworkOptions = {}): NodePlatform {
  return {
    network: createNodeNetwork(options),
    readTextFile: (path) => readFile(path, 'utf8'),
  }
}
