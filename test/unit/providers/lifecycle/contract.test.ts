import { describe } from 'vitest'
import {
  type KeyLifecycleSubject,
  type KeyLifecycleWorld,
  keyLifecycleContract,
} from '../../../../adapters/fakes/index.ts'
import { runContract } from '../../../support/contract.ts'
import {
  awsKey,
  azureKey,
  gcpKey,
  localKey,
  vaultKey,
  type VendorKey,
  wrapped,
} from '../../../support/rotation/vendors.ts'

/** The first version of a key that was rotated since. */
async function oldVersion(key: VendorKey): Promise<KeyLifecycleWorld> {
  const { version, open } = await wrapped(key.kms)
  await key.rotate()
  return { ...key, version, open }
}

/** A whole key. */
async function wholeKey(key: VendorKey): Promise<KeyLifecycleWorld> {
  const { version, open } = await wrapped(key.kms)
  return { ...key, version: { ...version, kekVersion: '' }, open }
}

const local = 'the keys are in this process: there are no credentials'
const subjects: Readonly<Record<string, KeyLifecycleSubject>> = {
  'a key of AWS': { create: () => wholeKey(awsKey()) },
  'a version of GCP': { create: async () => oldVersion(await gcpKey()) },
  'a version of Azure': {
    create: () => oldVersion(azureKey()),
    without: { destruction: 'Azure deletes whole keys only' },
  },
  'a key of Azure': { create: () => wholeKey(azureKey()) },
  'a version of Vault': {
    create: () => oldVersion(vaultKey()),
    without: { cancelling: 'Vault destroys at once' },
  },
  'a local version': {
    create: () => oldVersion(localKey()),
    without: { cancelling: 'a local key is destroyed at once', permissions: local },
  },
}

for (const [name, subject] of Object.entries(subjects))
  describe(`R30 contract of key lifecycles: ${name}`, () => {
    runContract(keyLifecycleContract(subject))
  })
