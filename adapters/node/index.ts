export { createNodeNetwork, type NodeNetwork, type NodeNetworkOptions } from './node-network.ts'
export { nodeAwsSigner } from './node-aws-signer.ts'
export { nodeFileToken } from './node-file-token.ts'
export { nodeReferences } from './node-references.ts'
