import { plainOptions } from '../../src/checks/index.ts'
import { webNetwork } from '../../src/runtime/index.ts'
import { nodeAwsSigner } from './node-aws-signer.ts'
import { createNodeNetwork, type NodeNetwork, type NodeNetworkOptions } from './node-network.ts'
import { textOfFile } from './text-file.ts'

/** The tools of Node, Deno and Bun for `stackFromEnv`. */
export interface NodePlatform {
  /**
   * Sends requests by `node:http` and `node:https`, or on Bun without options by its `fetch`, and signs for AWS by
   * `node:crypto`.
   */
  readonly network: NodeNetwork
  /** Reads the files that variables name, such as `AWS_WEB_IDENTITY_TOKEN_FILE`. */
  readonly readTextFile: (path: string) => Promise<string>
}

/**
 * Returns the options of `stackFromEnv` that Node can provide: a network with a signer for AWS, and a reader of
 * files. Requests and signatures cost about half the CPU of `fetch` and WebCrypto. It works on Node, Deno, Bun and
 * Lambda, and opens no file or connection by itself.
 *
 * @param options - those of {@link createNodeNetwork}. On Bun, `fetch` is the fastest; any option selects `node:http`
 * instead
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
  const isPlain = Object.keys(plainOptions(options)).length === 0
  return {
    network: isPlain && isBun() ? bunNetwork() : createNodeNetwork(options),
    readTextFile: textOfFile,
  }
}

/** Bun keeps and reuses the connections of `fetch` itself: there is nothing to close. */
function bunNetwork(): NodeNetwork {
  return { ...webNetwork, awsSigner: nodeAwsSigner, close: () => undefined }
}

function isBun(): boolean {
  return process.versions['bun'] !== undefined
}
