/** Signatures, credentials and permissions. */
import { observe, utf8 } from '../world.mjs'

const flipText = (text) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)

const bytesOf = (body) => (typeof body === 'string' ? utf8(body) : body)

/** One Encrypt under the shared key by another client. */
const encryptAs = async (world, overrides, prepare = (_client) => {}) => {
  const key = await world.sharedKey()
  const client = world.kmsClient(overrides)
  prepare(client)
  return observe(() => world.kms('Encrypt', { KeyId: key.Arn, Plaintext: utf8('x') }, client))
}

const encryptWith = (world, credentials) => encryptAs(world, { credentials })

/** Changes the request between its signing and its sending. */
const afterSigning = (change) => (client) =>
  client.middlewareStack.add(
    (next) => async (args) => {
      change(args.request)
      return next(args)
    },
    { step: 'finalizeRequest', priority: 'low', name: 'afterSigning' },
  )

const assume = async (world, input = {}, client) =>
  (
    await world.sts(
      'AssumeRole',
      { RoleArn: world.target.roleArn, RoleSessionName: 'scenario', ...input },
      client,
    )
  ).Credentials

const credentialsOf = (answer) => ({
  accessKeyId: answer.AccessKeyId,
  secretAccessKey: answer.SecretAccessKey,
  sessionToken: answer.SessionToken,
})

const issued = (answer, seconds) => ({
  prefix: answer.AccessKeyId.slice(0, 4),
  token: answer.SessionToken.length > 0,
  lifetime: Math.abs((answer.Expiration.getTime() - Date.now()) / 1000 - seconds) < 60,
})

const webIdentity = async (world, kind, input = {}) => {
  // This operation is not signed: it needs no credentials of its own.
  const client = world.stsClient({ credentials: { accessKeyId: '', secretAccessKey: '' } })
  await world.target.beforeUnsigned?.()
  return (
    await world.sts(
      'AssumeRoleWithWebIdentity',
      {
        RoleArn: world.target.webIdentityRoleArn,
        RoleSessionName: 'scenario',
        WebIdentityToken: await world.target.webIdentityToken(kind),
        ...input,
      },
      client,
    )
  ).Credentials
}

const webIdentityScenario = (kind) => ({
  name: `web-identity/${kind}`,
  run: (world) => observe(() => webIdentity(world, kind)),
})

/** @type {import('../world.mjs').Scenario[]} */
export const accessScenarios = [
  {
    name: 'auth/wrong-secret',
    run: (world) => {
      const { credentials } = world.target
      const secretAccessKey = flipText(credentials.secretAccessKey)
      return encryptWith(world, { ...credentials, secretAccessKey })
    },
  },
  {
    name: 'auth/unknown-access-key',
    run: (world) =>
      encryptWith(world, { ...world.target.credentials, accessKeyId: 'AKIAUNKNOWNUNKNOWN12' }),
  },
  {
    name: 'auth/bogus-session-token',
    run: (world) => encryptWith(world, { ...world.target.credentials, sessionToken: 'bogus' }),
  },
  {
    name: 'auth/expired-session',
    run: async (world) =>
      world.target.expired === undefined
        ? { notRun: 'no expired credentials' }
        : encryptWith(world, world.target.expired),
  },
  {
    name: 'auth/body-changed-after-signing',
    run: (world) =>
      encryptAs(
        world,
        {},
        afterSigning((request) => {
          // A space before the last brace: the same JSON in other bytes.
          const body = Uint8Array.of(...bytesOf(request.body).subarray(0, -1), 0x20, 0x7d)
          request.body = body
          request.headers['content-length'] = String(body.length)
        }),
      ),
  },
  {
    name: 'auth/no-authorization',
    run: (world) =>
      encryptAs(
        world,
        {},
        afterSigning((request) => {
          delete request.headers['authorization']
        }),
      ),
  },
  {
    name: 'auth/clock-behind',
    run: (world) => encryptAs(world, { systemClockOffset: -20 * 60_000 }),
  },
  {
    name: 'auth/clock-ahead',
    run: (world) => encryptAs(world, { systemClockOffset: 20 * 60_000 }),
  },
  {
    name: 'auth/clock-slightly-off',
    run: (world) => encryptAs(world, { systemClockOffset: -60_000 }),
  },
  {
    name: 'auth/permitted',
    run: (world) => encryptWith(world, world.target.encryptOnly),
  },
  {
    name: 'auth/not-permitted',
    run: async (world) => {
      const client = world.kmsClient({ credentials: world.target.encryptOnly })
      const key = await world.sharedKey()
      const blob = await world.encrypt(key, 'secret')
      return world.opens(blob, 'secret', { KeyId: key.Arn }, client)
    },
  },
  {
    name: 'auth/invalid-grant-token',
    run: async (world) => {
      const input = { KeyId: (await world.sharedKey()).Arn, GrantTokens: ['bogus'] }
      return observe(() => world.kms('GenerateDataKey', { ...input, KeySpec: 'AES_256' }))
    },
  },
  {
    name: 'assume-role/then-encrypt',
    run: async (world) => {
      const answer = await assume(world, { DurationSeconds: 900 })
      return {
        issued: issued(answer, 900),
        encrypt: await encryptWith(world, credentialsOf(answer)),
      }
    },
  },
  {
    name: 'assume-role/without-its-token',
    run: async (world) => {
      const { sessionToken: _left, ...keys } = credentialsOf(await assume(world))
      return encryptWith(world, keys)
    },
  },
  {
    name: 'assume-role/too-short',
    run: (world) => observe(() => assume(world, { DurationSeconds: 899 })),
  },
  {
    name: 'assume-role/unknown-role',
    run: (world) =>
      observe(() =>
        assume(world, { RoleArn: `arn:aws:iam::${world.target.accountId}:role/no-such-role` }),
      ),
  },
  {
    name: 'assume-role/not-permitted',
    run: (world) =>
      observe(() => assume(world, {}, world.stsClient({ credentials: world.target.encryptOnly }))),
  },
  {
    name: 'assume-role/wrong-secret',
    run: (world) => {
      const { credentials } = world.target
      const secretAccessKey = flipText(credentials.secretAccessKey)
      const client = world.stsClient({ credentials: { ...credentials, secretAccessKey } })
      return observe(() => assume(world, {}, client))
    },
  },
  {
    name: 'assume-role/unknown-access-key',
    run: (world) => {
      const credentials = {
        ...world.target.credentials,
        accessKeyId: 'AKIAUNKNOWNUNKNOWN12',
      }
      return observe(() => assume(world, {}, world.stsClient({ credentials })))
    },
  },
  {
    name: 'web-identity/then-encrypt',
    run: async (world) => {
      let answer
      const made = await observe(
        async () => {
          answer = await webIdentity(world, 'good', { DurationSeconds: 900 })
          return answer
        },
        (credentials) => issued(credentials, 900),
      )
      if (answer === undefined) return { made }
      return { made, encrypt: await encryptWith(world, credentialsOf(answer)) }
    },
  },
  webIdentityScenario('expired'),
  webIdentityScenario('wrong-audience'),
  webIdentityScenario('wrong-signature'),
  webIdentityScenario('wrong-subject'),
  webIdentityScenario('not-a-token'),
  {
    name: 'web-identity/too-short',
    run: (world) => observe(() => webIdentity(world, 'good', { DurationSeconds: 899 })),
  },
]
