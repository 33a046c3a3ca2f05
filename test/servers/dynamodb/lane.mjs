/** DynamoDB's part of the lane: the stores against moto, whose signatures and policies are on. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request as send } from 'node:http'
import { fileURLToPath } from 'node:url'
import { isKmsError } from '../../../src/errors.ts'
import { DynamoDbDataKeyStore, DynamoDbKeyValueStore } from '../../../src/stores/index.ts'
import { openFront } from '../../../tools/servers/front.mjs'
import { linkOf } from '../../support/race/chain-step.ts'
import { killWriters, raceTwo } from '../../support/race/processes.ts'
import { loadSdk } from '../aws/clients.mjs'
import { withTarget } from '../aws/targets.mjs'
import { checkStores } from '../lib/stores.mjs'
import { checkSources } from './sources.mjs'

const names = ['moto']
const child = fileURLToPath(new URL('chain.child.mjs', import.meta.url))
const links = 100
const delaysMs = [0, 0, 2, 5, 20, 100]
const bytes = new Uint8Array([0, 1, 254, 255])
const hour = { ttlMs: 3_600_000 }
const name = (letter) => `ek1/${letter.repeat(43)}`

/** The table of the guide. */
function tableOfTheGuide() {
  const guide = readFileSync(new URL('../../../docs/guides/stores.md', import.meta.url), 'utf8')
  const json = /<!-- table -->\n```json\n([^`]+)```/.exec(guide)?.[1]
  assert.ok(json !== undefined, 'the guide has no table')
  return JSON.parse(json)
}

const isCode = (code, about) => (error) =>
  isKmsError(error, code) && (about === undefined || error.message.includes(about))

async function checkContracts(check, options) {
  const values = () => new DynamoDbKeyValueStore(options)
  const records = () => new DynamoDbDataKeyStore({ ...options, prefix: `${crypto.randomUUID()}:` })
  await checkStores(check, values, records)
}

/**
 * Lets one request at a time through, as DynamoDB does for one item: moto looks at the condition in one step
 * and writes in another, and its threads come between.
 */
async function openTurnstile(endpoint) {
  let last = Promise.resolve()
  const pass = async (request, body) => {
    const headers = { ...Object.fromEntries(request.headers), host: new URL(request.url).host }
    const forwarded = send(endpoint, { method: 'POST', headers, agent: false })
    forwarded.end(body)
    const [answer] = await once(forwarded, 'response')
    const { 'content-type': type = 'application/x-amz-json-1.0' } = answer.headers
    const text = Buffer.concat(await answer.toArray())
    return new Response(text, { status: answer.statusCode, headers: { 'content-type': type } })
  }
  return openFront(async (request) => {
    const body = await request.text()
    const turn = last.then(() => pass(request, body))
    last = turn.then(
      () => undefined,
      () => undefined,
    )
    return turn
  })
}

async function checkRaces(check, moto) {
  const front = await openTurnstile(moto.endpoint)
  try {
    await checkRacesBehind(check, { ...moto, endpoint: front.url })
  } finally {
    await front.close()
  }
}

async function checkSourcesOneByOne(check, { table: _, ...moto }, ask) {
  const front = await openTurnstile(moto.endpoint)
  try {
    await checkSources(check, { ...moto, endpoint: front.url }, ask)
  } finally {
    await front.close()
  }
}

async function checkRacesBehind(check, options) {
  const store = new DynamoDbKeyValueStore(options)
  const program = { command: process.execPath, args: [child, JSON.stringify(options)] }
  await check('two processes race: each link has one winner', async () => {
    const { won, lost } = await raceTwo(program, `race/${crypto.randomUUID()}`, links)
    console.log(`dynamodb: ${won.join(' and ')} links won, ${lost} tries lost`)
  })
  await check('a process is killed in a write: before or after, never a third', async () => {
    const key = `crash/${crypto.randomUUID()}`
    const found = await killWriters(program, key, () => linkOf(store, key), delaysMs)
    console.log(`dynamodb: ${found.before} writes did not arrive, ${found.after} did`)
  })
}

/** Does what it is asked and cuts the answer off. The host is what was signed, so it is kept. */
const openCuttingFront = (endpoint) =>
  openFront(async (request) => {
    const headers = { ...Object.fromEntries(request.headers), host: new URL(request.url).host }
    const forwarded = send(endpoint, { method: 'POST', headers })
    forwarded.end(await request.text())
    const [answer] = await once(forwarded, 'response')
    assert.equal(answer.statusCode, 200)
    answer.resume()
    throw new Error('cut')
  })

async function checkCutAnswers(check, options) {
  const front = await openCuttingFront(options.endpoint)
  await check('an answer that is cut off after the write leaves what was written', async () => {
    try {
      const cut = { ...options, endpoint: front.url }
      const lost = isCode('ERR_STORE_UNAVAILABLE')
      const store = new DynamoDbKeyValueStore(cut)
      await assert.rejects(store.compareAndSwap('cut', undefined, bytes, hour), lost)
      assert.deepEqual(await new DynamoDbKeyValueStore(options).get('cut'), bytes)
      const records = new DynamoDbDataKeyStore({ ...cut, durability: 'declared' })
      await assert.rejects(records.putIfAbsent(name('c'), bytes), lost)
      assert.deepEqual(await new DynamoDbDataKeyStore(options).get(name('c')), bytes)
    } finally {
      await front.close()
    }
  })
}

/** Checks that the official client reads what we wrote, and that we read what it wrote. */
async function checkOfficialClient(check, options, ask) {
  const TableName = options.table
  const values = new DynamoDbKeyValueStore(options)
  const key = { pk: { S: 'edge-kms:value:ours' }, sk: { S: 'value' } }
  await check("AWS's own client reads what the store wrote, and the other way round", async () => {
    await values.put('ours', bytes, hour)
    const { Item } = await ask('GetItem', { TableName, Key: key })
    assert.deepEqual(new Uint8Array(Item.v.B), bytes)
    const seconds = Number(Item.ttl.N) - Date.now() / 1_000
    assert.ok(seconds > 3_500 && seconds < 3_700, `${seconds} seconds are left`)
    await ask('PutItem', { TableName, Item: { ...Item, v: { B: new Uint8Array([7]) } } })
    assert.deepEqual(await values.get('ours'), new Uint8Array([7]))
  })
  await check('what DynamoDB has not deleted yet is not given out', async () => {
    const past = { N: String(Date.now() - 1) }
    const Item = { ...key, v: { B: bytes }, ends_at_ms: past, ttl: { N: '1' } }
    await ask('PutItem', { TableName, Item })
    assert.equal(await values.get('ours'), undefined)
    assert.equal(await values.compareAndSwap('ours', bytes, bytes, hour), false)
    assert.equal(await values.compareAndSwap('ours', undefined, bytes, hour), true)
  })
}

async function checkRefusals(check, options, encryptOnly, ask) {
  const refuses = async (more, code, about) => {
    const values = new DynamoDbKeyValueStore({ ...options, ...more })
    const records = new DynamoDbDataKeyStore({ ...options, ...more })
    await assert.rejects(values.put('a', bytes, hour), isCode(code, about))
    await assert.rejects(values.get('a'), isCode(code, about))
    await assert.rejects(records.putIfAbsent(name('a'), bytes), isCode(code, about))
  }
  const config = 'ERR_KMS_CONFIG'
  await check('a table that is not there', () =>
    refuses({ table: 'none' }, config, 'was not found: create it'),
  )
  await check('a table with other keys', async () => {
    const TableName = 'other-keys'
    const id = { AttributeName: 'id', KeyType: 'HASH' }
    await ask('CreateTable', {
      TableName,
      KeySchema: [id],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    })
    await refuses({ table: TableName }, config, 'pk HASH S, sk RANGE S')
    const declared = { ...options, table: TableName, durability: 'declared' }
    const records = new DynamoDbDataKeyStore(declared)
    await assert.rejects(
      records.putIfAbsent(name('a'), bytes),
      isCode(config, 'pk HASH S, sk RANGE S'),
    )
  })
  await check('a user without the permission', async () => {
    const denied = new DynamoDbKeyValueStore({ ...options, credentials: encryptOnly })
    await assert.rejects(denied.get('a'), (error) => {
      assert.ok(isKmsError(error, 'ERR_STORE_UNAVAILABLE'))
      assert.equal(error.retryable, false)
      assert.match(error.message, /AccessDenied/)
      return true
    })
  })
  await check('a wrong secret, and shows it to nobody', async () => {
    const secretAccessKey = 'a-secret-that-is-wrong'
    const credentials = { ...options.credentials, secretAccessKey }
    const store = new DynamoDbKeyValueStore({ ...options, credentials })
    await assert.rejects(store.get('a'), (error) => {
      assert.ok(isKmsError(error, 'ERR_STORE_UNAVAILABLE'))
      assert.ok(!JSON.stringify([error, error.message, error.stack]).includes(secretAccessKey))
      return !error.retryable
    })
  })
}

/** @param {{ report: ReturnType<typeof import('../lib/report.mjs').createReport>, only?: readonly string[] }} options */
export async function runLane({ report, only = names }) {
  const sdk = loadSdk()
  for (const server of only) {
    const check = (what, work) => report.check(`dynamodb/${server} ${what}`, work)
    const missing = await withTarget(server, sdk, async (target) => {
      const { endpoint, region, credentials, encryptOnly } = target
      const client = new sdk.dynamodb.DynamoDBClient({ endpoint, region, credentials })
      const ask = (operation, input) => client.send(new sdk.dynamodb[`${operation}Command`](input))
      const description = tableOfTheGuide()
      await ask('CreateTable', description)
      const place = { table: description.TableName, endpoint, region, credentials }
      const options = { ...place, allowHttpLoopback: true, timeoutMs: 10_000 }
      try {
        await checkContracts(check, options)
        await checkRaces(check, options)
        await checkSourcesOneByOne(check, options, ask)
        await checkCutAnswers(check, options)
        await checkOfficialClient(check, options, ask)
        await checkRefusals(
          (what, work) => check(`refuses ${what}`, work),
          options,
          encryptOnly,
          ask,
        )
      } finally {
        client.destroy()
      }
    })
    if (missing !== undefined) report.skip(`dynamodb/${server}`, missing)
  }
}
