export { type ContractCase, ContractViolation } from './contract-case.ts'
export { dataKeyStoreContract } from './data-key-store-contract.ts'
export {
  keyLifecycleContract,
  type KeyLifecycleSubject,
  type KeyLifecycleWorld,
} from './key-lifecycle-contract.ts'
export { keyValueStoreContract, type KeyValueStoreSubject } from './key-value-store-contract.ts'
export { kmsContract } from './kms-contract.ts'
export type { KmsContractSubject } from './kms-contract-cases.ts'
export { objectSourceContract } from './object-source-contract.ts'
export { recordSourceContract } from './record-source-contract.ts'
export type {
  ObjectSourceSubject,
  ObjectSourceWorld,
  RecordSourceSubject,
  RecordSourceWorld,
} from './record-source-subject.ts'
