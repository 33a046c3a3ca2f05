import { common, type ErrorRow, kms, sts } from './error-rows.ts'

/** The rows of the table. */
export type RefusalKind =
  | 'accessDenied'
  | 'expiredToken'
  | 'incompleteSignature'
  | 'internal'
  | 'invalidSignature'
  | 'invalidToken'
  | 'missingToken'
  | 'serialization'
  | 'throttled'
  | 'unavailable'
  | 'unknownOperation'
  | 'validation'
  | 'alreadyExists'
  | 'customKeyStoreNotFound'
  | 'disabled'
  | 'dryRun'
  | 'incorrectKey'
  | 'invalidAliasName'
  | 'invalidArn'
  | 'invalidCiphertext'
  | 'invalidGrantId'
  | 'invalidGrantToken'
  | 'invalidKeyUsage'
  | 'invalidState'
  | 'invalidMarker'
  | 'limitExceeded'
  | 'malformedPolicy'
  | 'notFound'
  | 'tag'
  | 'unsupported'
  | 'invalidIdentityToken'
  | 'identityTokenExpired'
  | 'missingAction'

/** Every error that the fake can answer, with its name and status in each protocol. */
export const ERROR_TABLE: Readonly<Record<RefusalKind, ErrorRow>> = {
  accessDenied: common(
    ['AccessDeniedException', 400],
    ['AccessDenied', 403],
    'You are not authorized to perform this operation.',
    'CommonErrors; IAM User Guide, Troubleshoot IAM roles',
  ),
  expiredToken: common(
    ['ExpiredTokenException', 400],
    ['ExpiredToken', 403],
    'The security token included in the request is expired',
    'CommonErrors',
  ),
  incompleteSignature: common(
    ['IncompleteSignatureException', 400],
    ['IncompleteSignature', 400],
    'The request signature does not conform to AWS standards.',
    'CommonErrors; the JSON name as DynamoDB documents it, Error handling',
  ),
  internal: common(
    ['KMSInternalException', 500],
    ['InternalFailure', 500],
    'The request was rejected because an internal exception occurred.',
    'API_Encrypt, Errors; CommonErrors',
  ),
  invalidSignature: common(
    ['InvalidSignatureException', 400],
    ['SignatureDoesNotMatch', 403],
    'The request signature we calculated does not match the signature you provided. ' +
      'Check your AWS Secret Access Key and signing method.',
    'IAM User Guide, Troubleshoot Signature Version 4',
  ),
  invalidToken: common(
    ['UnrecognizedClientException', 400],
    ['InvalidClientTokenId', 403],
    'The security token included in the request is invalid.',
    'CommonErrors',
  ),
  missingToken: common(
    ['MissingAuthenticationTokenException', 400],
    ['MissingAuthenticationToken', 403],
    'Request is missing Authentication Token',
    'CommonErrors; the JSON name as DynamoDB documents it, Error handling',
  ),
  serialization: common(
    ['SerializationException', 400],
    ['MalformedInput', 400],
    'The request body cannot be read.',
    'Smithy, AWS JSON 1.1 protocol',
  ),
  throttled: common(
    ['ThrottlingException', 400],
    ['Throttling', 400],
    'Rate exceeded',
    'KMS Developer Guide, Throttling requests; CommonErrors',
  ),
  unavailable: common(
    ['ServiceUnavailable', 503],
    ['ServiceUnavailable', 503],
    'The request has failed due to a temporary failure of the server.',
    'CommonErrors',
  ),
  unknownOperation: common(
    ['UnknownOperationException', 400],
    ['InvalidAction', 400],
    '',
    'CommonErrors',
  ),
  validation: common(
    ['ValidationException', 400],
    ['ValidationError', 400],
    'The input fails to satisfy the constraints.',
    'CommonErrors; recorded: test_plaintext_size_for_encrypt',
  ),

  alreadyExists: kms('AlreadyExistsException', '', 'API_CreateAlias and API_ReplicateKey, Errors'),
  customKeyStoreNotFound: kms(
    'CustomKeyStoreNotFoundException',
    '',
    'API_GenerateRandom, CustomKeyStoreId and Errors',
  ),
  disabled: kms(
    'DisabledException',
    'The key is disabled.',
    'Developer Guide, Key states [1]; recorded: test_rotate_key_on_demand_raises_error_given_key_is_disabled',
  ),
  dryRun: kms(
    'DryRunOperationException',
    'The request would have succeeded, but the DryRun option is set.',
    'Developer Guide, Testing your permissions; recorded: test_generate_data_key_pair_dry_run',
  ),
  incorrectKey: kms(
    'IncorrectKeyException',
    'The key ID in the request does not identify a CMK that can perform this operation.',
    'API_Decrypt, Errors; recorded: test_re_encrypt_incorrect_source_key',
  ),
  invalidAliasName: kms('InvalidAliasNameException', '', 'API_CreateAlias, AliasName'),
  invalidArn: kms('InvalidArnException', '', 'API_DescribeKey, Errors'),
  // AWS says nothing more, whatever was wrong.
  invalidCiphertext: kms(
    'InvalidCiphertextException',
    '',
    'API_Decrypt, Errors; recorded: test_encrypt_decrypt_encryption_context',
  ),
  invalidGrantId: kms('InvalidGrantIdException', '', 'API_RevokeGrant, Errors'),
  invalidGrantToken: kms('InvalidGrantTokenException', '', 'API_GenerateDataKey, Errors'),
  invalidKeyUsage: kms(
    'InvalidKeyUsageException',
    '',
    'API_Encrypt, Errors; recorded: test_error_messaging_for_invalid_keys',
  ),
  invalidState: kms(
    'KMSInvalidStateException',
    '',
    'Developer Guide, Key states [2]-[5]; recorded: test_import_key_symmetric',
  ),
  invalidMarker: kms('InvalidMarkerException', '', 'API_ListKeys, Errors'),
  limitExceeded: kms(
    'LimitExceededException',
    'The on-demand rotations limit has been reached for the given keyId.',
    'API_RotateKeyOnDemand; recorded: test_key_rotations_limits',
  ),
  malformedPolicy: kms('MalformedPolicyDocumentException', '', 'API_PutKeyPolicy, Errors'),
  notFound: kms('NotFoundException', '', 'API_DescribeKey; recorded: test_get_key_does_not_exist'),
  tag: kms('TagException', '', 'API_TagResource, Errors'),
  unsupported: kms(
    'UnsupportedOperationException',
    '',
    'API_RotateKeyOnDemand; recorded: test_replicate_replica_key_should_fail',
  ),

  invalidIdentityToken: sts(
    'InvalidIdentityToken',
    400,
    'The web identity token that was passed could not be validated.',
    'API_AssumeRoleWithWebIdentity, Errors',
  ),
  identityTokenExpired: sts(
    'ExpiredTokenException',
    400,
    'The web identity token that was passed is expired.',
    'API_AssumeRoleWithWebIdentity, Errors',
  ),
  missingAction: sts('MissingAction', 400, 'Could not find an action.', 'CommonErrors'),
}
