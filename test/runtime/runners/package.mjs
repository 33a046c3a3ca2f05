/** The installed package, as the suites take it. */
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

/** @type {import('../suite.ts').Library} */
export const library = {
  core,
  aws,
  azure,
  config,
  gcp,
  local,
  sharedKeys,
  stores,
  testing,
  vault,
}
