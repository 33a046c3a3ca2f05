export type { FakeGcpCall, FakeGcpService } from './calls.ts'
export { createFakeGcp, type FakeGcp } from './create-fake-gcp.ts'
export type { FakeGcpFault, FakeGcpFaultKind, FakeGcpFaults } from './faults.ts'
export {
  FAKE_GCP_DEFECTS,
  type FakeGcpDefect,
  type FakeGcpKeyOptions,
  type FakeGcpOptions,
  type FakeGcpPolicy,
  type FakeGcpPoolProvider,
  type FakeGcpServiceAccount,
} from './options.ts'
