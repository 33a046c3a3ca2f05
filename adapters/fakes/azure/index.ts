export type { FakeAzureCall } from './calls.ts'
export { createFakeAzure, type FakeAzure } from './create-fake-azure.ts'
export type { FakeAzureFault, FakeAzureFaultKind } from './faults.ts'
export {
  FAKE_AZURE_DEFECTS,
  type FakeAzureApplication,
  type FakeAzureCertificate,
  type FakeAzureDefect,
  type FakeAzureFederation,
  type FakeAzureKeyOptions,
  type FakeAzureOptions,
} from './options.ts'
