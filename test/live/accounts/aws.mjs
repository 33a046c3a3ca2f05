/** AWS: keys with an alias each; at the end they are scheduled for deletion, which ends what they cost. */
import { AwsClient } from 'aws4fetch'
import { answerOf, loopbackOrHttps, placeOf, runName } from './support.mjs'

const PREFIX = 'EDGE_KMS_LIVE_AWS_'
const WAITING_DAYS = 7

/** @type {import('./index.mjs').Account} */
export const aws = {
  vendor: 'aws',
  required: ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'REGION'].map((name) => PREFIX + name),
  optional: ['SESSION_TOKEN', 'ENDPOINT', 'SERVER'].map((name) => PREFIX + name),
  secrets: ['SECRET_ACCESS_KEY', 'SESSION_TOKEN'].map((name) => PREFIX + name),
  open(env) {
    const of = (name) => env[PREFIX + name] || undefined
    const region = of('REGION') ?? ''
    const sessionToken = of('SESSION_TOKEN')
    const credentials = {
      accessKeyId: of('ACCESS_KEY_ID') ?? '',
      secretAccessKey: of('SECRET_ACCESS_KEY') ?? '',
      ...(sessionToken !== undefined && { sessionToken }),
    }
    const endpoint = loopbackOrHttps(of('ENDPOINT'))
    const client = new AwsClient({ ...credentials, region, service: 'kms', retries: 3 })
    const url = endpoint ?? `https://kms.${region}.amazonaws.com/`
    const call = async (operation, input) => {
      const headers = {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `TrentService.${operation}`,
      }
      const body = JSON.stringify(input)
      return answerOf(operation, await client.fetch(url, { method: 'POST', headers, body }))
    }
    const name = runName()
    // Runtimes ask at once: a name is taken before it is asked for.
    let made = 0
    /** @type {string[]} */
    const keys = []
    /** @type {string[]} */
    const aliases = []

    async function createKey() {
      const Tags = [{ TagKey: 'edge-kms-live', TagValue: name }]
      const { KeyMetadata } = await call('CreateKey', { Description: name, Tags })
      keys.push(KeyMetadata.KeyId)
      return KeyMetadata.Arn
    }

    return {
      target: { region, credentials, ...placeOf(endpoint, of('SERVER')) },
      async newKeys() {
        const [keyArn, otherKeyArn] = [await createKey(), await createKey()]
        const aliasName = `alias/${name}-${made++}`
        await call('CreateAlias', { AliasName: aliasName, TargetKeyId: keyArn })
        aliases.push(aliasName)
        return { keyArn, otherKeyArn, aliasName }
      },
      cleanUp: () => [
        ...aliases.map((alias) => ({
          what: alias,
          byHand: `aws kms delete-alias --region ${region} --alias-name ${alias}`,
          remove: () => call('DeleteAlias', { AliasName: alias }),
        })),
        ...keys.map((id) => ({
          what: `key ${id}`,
          byHand: `aws kms schedule-key-deletion --region ${region} --pending-window-in-days ${WAITING_DAYS} --key-id ${id}`,
          remove: () =>
            call('ScheduleKeyDeletion', { KeyId: id, PendingWindowInDays: WAITING_DAYS }),
        })),
      ],
    }
  },
}
