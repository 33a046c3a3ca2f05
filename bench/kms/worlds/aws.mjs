/** AWS KMS. The floor's calls have no signature, so there is nothing to check. */
import { createFakeAws } from '../../../adapters/fakes/index.ts'

export function createWorld() {
  const fake = createFakeAws()
  const { arn } = fake.createKey()
  return {
    fake,
    urlOf: (incoming) => `http://${incoming.headers.host}${incoming.url}`,
    operationOf: (incoming) => incoming.headers['x-amz-target'],
    isFloor: (incoming) => incoming.headers.authorization === undefined,
    place: { arn, region: fake.region, credentials: fake.credentials },
  }
}
