export { type ContractCase, ContractViolation } from './contract-case.ts'
export { dataKeyStoreContract } from './data-key-store-contract.ts'
export { kmsContract, type KmsContractSubject } from './kms-contract.ts'
