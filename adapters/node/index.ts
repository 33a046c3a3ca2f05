export { createNodeNetwork, type NodeNetwork, type NodeNetworkOptions } from './node-network.ts'
export { nodeHasher } from './node-hasher.ts'
