import { request } from 'node:http'
import { configError } from '../../src/checks/index.ts'
import { KmsError } from '../../src/index.ts'

const HOST = /^[\w.-]+:\d{1,5}$/

/**
 * Returns a client for the calls of Lambda's Runtime API that concern snapshots.
 *
 * @param address - `AWS_LAMBDA_RUNTIME_API`: host and port
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function runtimeApi(address: unknown): {
  readonly restoreNext: () => Promise<void>
  readonly restoreError: (type: string, message: string) => Promise<void>
} {
  if (typeof address !== 'string' || !HOST.test(address) || !URL.canParse(`http://${address}`)) {
    throw configError('env AWS_LAMBDA_RUNTIME_API must be host:port, as Lambda sets it')
  }
  const base = `http://${address}/2018-06-01/runtime/restore`
  return {
    restoreNext: () => send('GET', `${base}/next`, 200),
    restoreError: (errorType, errorMessage) =>
      send('POST', `${base}/error`, 202, { errorType, errorMessage }),
  }
}

/**
 * Sends one request. No timer bounds it: the process is frozen while it waits, for any time, and a timer would
 * run out at the moment of the restore. Nor may its connection be used again in another copy.
 */
function send(
  method: string,
  url: string,
  expected: number,
  body?: { readonly errorType: string; readonly errorMessage: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = body && {
      'content-type': 'application/json',
      'lambda-runtime-function-error-type': body.errorType,
    }
    const sent = request(url, { method, agent: false, ...(headers && { headers }) }, (answer) => {
      answer.resume()
      answer.once('end', () => {
        if (answer.statusCode === expected) resolve()
        else reject(refused(`answered ${String(answer.statusCode)}`))
      })
      answer.once('error', (cause) => reject(refused('broke off', cause)))
    })
    sent.once('error', (cause) => reject(refused('cannot be reached', cause)))
    sent.end(body && JSON.stringify(body))
  })
}

function refused(what: string, cause?: Error): KmsError {
  const message = `the Lambda Runtime API ${what} at restore: is this function published with SnapStart?`
  return new KmsError('ERR_KMS_UNAVAILABLE', { message, cause })
}
