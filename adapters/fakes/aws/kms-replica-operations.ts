import { Refusal } from './errors.ts'
import { defaultKeyPolicy, keyPolicyOf } from './key-policy.ts'
import { keyMetadata } from './key-metadata.ts'
import { demandEnabled, type KmsOperation } from './kms-service.ts'
import { keyOf } from './permissions.ts'
import { kmsArn } from './place.ts'
import { keyTagsOf, tagRows } from './tags.ts'

/**
 * Related keys share their material. Description, policy, tags and grants are each replica's own, and
 * nothing of the primary's is copied.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html
 */
export const replicateKey: KmsOperation = (call) => {
  const { input, service } = call
  const region = input.text('ReplicaRegion', { min: 1, max: 32, pattern: /^([a-z]+-){2,3}\d+$/ })
  const description = input.optionalText('Description', { max: 8_192 }) ?? ''
  const policy = keyPolicyOf(input)
  const tags = keyTagsOf(call)
  const key = keyOf(call)
  if (key.multiRegion !== 'PRIMARY') {
    throw new Refusal('unsupported', `${key.arn} is not a multi-region primary key.`)
  }
  demandEnabled(call, key)
  if (!service.regions.includes(region)) throw new Refusal('validation', 'Unknown region.')
  if (service.keys.byId(region, key.set.keyId) !== undefined) {
    throw new Refusal('alreadyExists', 'A related multi-Region key exists in the replica region.')
  }
  const { accountId, spec, usage, origin, sharedWith, set } = key
  const replica = service.keys.add({
    region,
    accountId,
    arn: kmsArn({ region, accountId, resource: `key/${set.keyId}` }),
    spec,
    usage,
    origin,
    createdAtMs: service.now(),
    multiRegion: 'REPLICA',
    // The fake's stand-in for what a key policy would say.
    sharedWith,
    set,
    tags,
    description,
    policy: policy ?? defaultKeyPolicy({ region, accountId }),
    state: 'Enabled',
  })
  return {
    ReplicaKeyMetadata: keyMetadata(service.keys, replica),
    ReplicaPolicy: replica.policy,
    ReplicaTags: tagRows(replica),
  }
}
