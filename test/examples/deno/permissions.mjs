/** The table of permissions in docs/guides/deno.md: each row works with its flags, and not without one of them. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { binOf, root, toolEnv } from '../../../tools/lib/folders.mjs'
import { freePort } from '../../start/gateway-process.mjs'
import { ACCOUNT, openClouds, POOL_PROVIDER, ROLE, SUBJECT } from './bridge.mjs'

const GUIDE = join(root, 'docs/guides/deno.md')
const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')

/** The rows below `<!-- permissions -->`: a feature, and its flags. */
function rowsOf(markdown) {
  const [, table = ''] = /<!-- permissions -->\n([^]*?)\n\n/.exec(markdown) ?? []
  const lines = table.split('\n').slice(2)
  return lines.map((line) => {
    const [, feature = '', cell = ''] = /^\| (.*?) \| (.*) \|$/.exec(line) ?? []
    return { feature, flags: [...cell.matchAll(/`([^`]+)`/g)].map(([, flag = '']) => flag) }
  })
}

const TOKEN_FILE = 'token.jwt'

/** The flags without one permission each, and that permission as an error would name it. */
function lacks(flags) {
  return flags.flatMap((flag, i) => {
    const [name = '', list] = flag.split('=')
    const without = (/** @type {string | undefined} */ less) =>
      flags.flatMap((other, j) => (j !== i ? [other] : less === undefined ? [] : [less]))
    if (list === undefined) return [{ missing: name, flags: without(undefined) }]
    const values = list.split(',')
    return values.map((value) => {
      const others = values.filter((one) => one !== value).join(',')
      const rest = without(others === '' ? undefined : `${name}=${others}`)
      return { missing: `${name}=${value}`, flags: rest }
    })
  })
}

/** A text that names a flag, where its value may be one of several. @param {string} missing */
function namedBy(missing) {
  const [flag, value] = missing.split('=')
  if (value === undefined) return new RegExp(String.raw`${flag}\b`)
  // A path from a variable is not shown, because it may be a secret by mistake: the error names the variable.
  const shown = value === TOKEN_FILE ? String.raw`\$AWS_WEB_IDENTITY_TOKEN_FILE` : value
  return new RegExp(`${flag}=(?:\\S*,)?${shown}(?![\\w.])`)
}

/** @param {import('./bridge.mjs').Clouds} clouds */
async function variablesOf({ aws, gcp, azure, vault }) {
  const { accessKeyId, secretAccessKey } = aws.credentials
  const { tenantId, clientId, clientSecret } = azure.credentials
  const config = { provider: 'local', versions: [{ version: 1, key: { env: 'APP_KEY' } }] }
  return {
    EDGE_KMS_KEY_V1: KEY,
    EDGE_KMS_CONFIG: JSON.stringify(config),
    APP_KEY: KEY,
    EDGE_KMS_AWS_KEY_ID: aws.createKey().arn,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_WEB_IDENTITY_TOKEN_FILE: TOKEN_FILE,
    AWS_ROLE_ARN: ROLE,
    EDGE_KMS_GCP_KEY_ID: gcp.createKey(),
    GOOGLE_APPLICATION_CREDENTIALS: await gcp.createServiceAccountKey(),
    EDGE_KMS_AZURE_KEY_ID: azure.createKey(),
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: clientSecret,
    EDGE_KMS_VAULT_KEY_ID: 'transit/app',
    VAULT_ADDR: 'https://vault.example.com:8200',
    VAULT_TOKEN: vault.token,
  }
}

/** Runs Deno and returns what it printed. */
async function outputOf(folder, args, env) {
  const child = spawn(binOf('runtimes/deno', 'deno'), args, {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      output += data
    })
  await once(child, 'close')
  return output.trim()
}

/**
 * @param {import('../workers/world.mjs').Report} report
 * @param {string} folder a folder with the package installed
 */
export async function checkPermissions({ check }, folder) {
  const rows = rowsOf(readFileSync(GUIDE, 'utf8'))
  const clouds = await openClouds()
  const tokenFor = (/** @type {string} */ aud) => clouds.issuer.token({ sub: SUBJECT, aud })
  const tokens = {
    'sts.amazonaws.com': await tokenFor('sts.amazonaws.com'),
    [`https:${POOL_PROVIDER}`]: await tokenFor(`https:${POOL_PROVIDER}`),
  }
  cpSync(join(import.meta.dirname, 'feature.mjs'), join(folder, 'feature.mjs'))
  writeFileSync(join(folder, TOKEN_FILE), tokens['sts.amazonaws.com'])
  const port = await freePort()
  const { addresses } = clouds
  const facts = { addresses, tokens, port, role: ROLE, account: ACCOUNT, audience: POOL_PROVIDER }
  // Deno keeps what it compiled and its default database in DENO_DIR.
  const env = {
    ...toolEnv(),
    ...(await variablesOf(clouds)),
    ...{ NO_COLOR: '1', DENO_DIR: join(folder, '.deno') },
  }
  const local = (/** @type {string} */ flag) =>
    Object.entries({ ...addresses, '127.0.0.1:8000': `127.0.0.1:${port}` }).reduce(
      (text, [place, address]) => text.replace(place, address),
      flag,
    )
  const run = (/** @type {string} */ feature, /** @type {string[]} */ flags) =>
    outputOf(
      folder,
      ['run', '--no-prompt', ...flags, 'feature.mjs', feature, JSON.stringify(facts)],
      env,
    )
  try {
    await check('the table of permissions has a row for each feature', () => {
      const source = readFileSync(new URL('feature.mjs', import.meta.url), 'utf8')
      const named = [...source.matchAll(/^ {2}'(.*)': ?/gm)].map(([, name]) => name)
      assert.deepEqual(rows.map(({ feature }) => feature).sort(), named.sort())
    })
    for (const { feature, flags } of rows) {
      const exact = flags.map(local)
      await check(`${feature}: works with exactly its permissions`, async () => {
        assert.equal(await run(feature, exact), 'works')
      })
      await check(`${feature}: is refused without one of them, by name`, async () => {
        await Promise.all(
          lacks(exact).map(async ({ missing, flags: rest }) => {
            const output = await run(feature, rest)
            // Deno itself refuses a server: the gateway has no part in that.
            const isServer = feature.startsWith('Gateway')
            const expected = isServer ? 'NotCapable: ' : 'ERR_KMS_CONFIG: '
            assert.ok(output.startsWith(expected), `without ${missing}: ${output}`)
            assert.match(output, isServer ? /--allow-net/ : namedBy(missing))
          }),
        )
      })
    }
  } finally {
    clouds.close()
  }
}
