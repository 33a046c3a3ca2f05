/** The runner for workerd: every case runs inside one request, as an application's code would. */
import * as core from 'edge-kms'
import * as aws from 'edge-kms/aws-kms'
import * as azure from 'edge-kms/azure-key-vault'
import * as config from 'edge-kms/config'
import * as gcp from 'edge-kms/gcp-kms'
import * as local from 'edge-kms/local'
import * as stores from 'edge-kms/stores'
import * as testing from 'edge-kms/testing'
import * as vault from 'edge-kms/vault-transit'
import { runCases } from './report.mjs'
// @ts-expect-error -- made beside this file in the scratch folder
import { runtimeSuite } from './suite.mjs'

export default {
  async fetch() {
    return Response.json(
      await runCases(
        runtimeSuite({ core, aws, azure, config, gcp, local, stores, testing, vault }),
      ),
    )
  },
}
