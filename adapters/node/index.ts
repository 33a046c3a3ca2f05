export { createNodeNetwork, type NodeNetwork, type NodeNetworkOptions } from './node-network.ts'
export { nodeHasher } from './node-hasher.ts'
export { nodeFileToken } from './node-file-token.ts'
export { nodeReferences } from './node-references.ts'
