/** The package from its source, as the suites of test/platforms take it. */
import * as core from '../../../src/index.ts'
import * as aws from '../../../src/providers/aws-kms/index.ts'
import * as azure from '../../../src/providers/azure-key-vault/index.ts'
import * as gcp from '../../../src/providers/gcp-kms/index.ts'
import * as local from '../../../src/providers/local/index.ts'
import * as vault from '../../../src/providers/vault-transit/index.ts'
import * as stores from '../../../src/stores/index.ts'
import * as testing from '../../../src/testing/index.ts'

/** @type {any} types of the source and of what was built differ by name */
export const library = { core, aws, azure, gcp, local, stores, testing, vault }
