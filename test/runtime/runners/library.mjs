/** The suite over the package that is installed beside this file in the scratch folder. */
import * as core from 'edge-kms'
import * as aws from 'edge-kms/aws-kms'
import * as azure from 'edge-kms/azure-key-vault'
import * as config from 'edge-kms/config'
import * as gcp from 'edge-kms/gcp-kms'
import * as local from 'edge-kms/local'
import * as sharedKeys from 'edge-kms/shared-keys'
import * as stores from 'edge-kms/stores'
import * as testing from 'edge-kms/testing'
import * as vault from 'edge-kms/vault-transit'
import { runCases } from './report.mjs'
// @ts-expect-error -- made beside this file in the scratch folder
import { runtimeSuite } from './suite.mjs'

const library = { core, aws, azure, config, gcp, local, sharedKeys, stores, testing, vault }

/** Runs every case, and gives plain data. */
export const runSuite = () => runCases(runtimeSuite(library))
