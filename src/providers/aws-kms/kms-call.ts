import type { AwsClient } from '../../credentials/aws/index.ts'
import { KmsError } from '../../errors.ts'
import { type JsonObject, parseJsonObject } from '../../http/index.ts'
import type { KmsSignalOptions } from '../../kms/index.ts'

export const PROVIDER = 'aws-kms'

/**
 * Returns the answer of one operation of AWS KMS, whose fields are not trusted yet.
 *
 * @param hopesFor - AWS's name of an error that is what this call wants to hear
 */
export async function callKms(
  client: AwsClient,
  operation: string,
  input: JsonObject,
  { signal, defer, hasAttemptTimeout }: KmsSignalOptions,
  hopesFor?: string,
): Promise<JsonObject> {
  const response = await client.call({
    operation,
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `TrentService.${operation}`,
    },
    body: JSON.stringify(input),
    signal,
    defer,
    hasAttemptTimeout,
    hopesFor,
    subject: String(input['KeyId'] ?? input['SourceKeyId']),
  })
  // Operations that have nothing to say answer with an empty body.
  const fields = response.body.length === 0 ? {} : parseJsonObject(response.body)
  if (fields === undefined) throw invalid(operation, 'the answer is not a JSON object')
  return fields
}

/** An answer that must not be believed. */
export function invalid(operation: string, message: string): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { operation, message, provider: PROVIDER })
}
