/**
 * Node, Bun and Deno: files of tokens and configuration, and a faster network and signer on Node.
 *
 * @module
 */
export { nodeConfigFile } from './node-config-file.ts'
export { createNodeNetwork, type NodeNetwork, type NodeNetworkOptions } from './node-network.ts'
export { nodeAwsSigner } from './node-aws-signer.ts'
export { nodeFileToken } from './node-file-token.ts'
export { type NodePlatform, nodePlatform } from './node-platform.ts'
export { nodeReferences } from './node-references.ts'
