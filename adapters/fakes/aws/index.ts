export type { FakeAwsCall } from './calls.ts'
export type { FakeClock as FakeAwsClock } from '../support/clock.ts'
export { createFakeAws, type FakeAws, type FakeAwsKey } from './create-fake-aws.ts'
export type { FakeAwsFault, FakeAwsFaultKind, FakeAwsFaults } from './faults.ts'
export {
  FAKE_AWS_DEFECTS,
  type FakeAwsAccessKey,
  type FakeAwsDefect,
  type FakeAwsIdentityProvider,
  type FakeAwsKeyOptions,
  type FakeAwsOptions,
  type FakeAwsPolicy,
  type FakeAwsRole,
  type FakeAwsTrust,
} from './options.ts'
