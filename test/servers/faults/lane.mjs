/** A network that fails: toxiproxy runs between the stack and both moto and OpenBao. */
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import { createVaultTransitKms, vaultToken } from '../../../src/providers/vault-transit/index.ts'
import { withServers } from '../../../tools/servers/with-servers.mjs'
import { loadSdk } from '../aws/clients.mjs'
import { withTarget } from '../aws/targets.mjs'
import { createWorld as awsWorld } from '../aws/world.mjs'
import { loadClient } from '../vault/clients.mjs'
import { withOpenBao } from '../vault/openbao.mjs'
import { createWorld as vaultWorld } from '../vault/world.mjs'
import { refuseCutAnswers, serveThroughBlackout, surviveFlapping } from './blackout.mjs'
import { faults } from './faults.mjs'
import { observe } from './observe.mjs'
import { documentedRows, rowOf, writeRows } from './table.mjs'
import { openProxy } from './toxiproxy.mjs'
import { readWithOneGone } from './two-keks.mjs'

/** A KMS behind a proxy. @typedef {{ name: string, proxy: any, newKms: () => any }} Member */

async function behindProxy(api, target, make) {
  const proxy = await openProxy(api, target.endpoint)
  const place = { endpoint: proxy.url, allowHttpLoopback: true, timeoutMs: 10_000 }
  return { proxy, newKms: () => make(place) }
}

/** @returns {Promise<Member>} */
async function motoBehind(api, sdk, target) {
  const world = awsWorld(sdk, target)
  const { Arn: keyId } = await world.createKey()
  world.close()
  const { region, credentials } = target
  const make = (place) => createAwsKms({ ...place, region, credentials, keyId })
  return { name: 'aws-kms', ...(await behindProxy(api, target, make)) }
}

/** @returns {Promise<Member>} */
async function openBaoBehind(api, target) {
  const key = await vaultWorld(loadClient(), target).createKey()
  const make = (place) => createVaultTransitKms({ ...place, auth: vaultToken(target.token), key })
  return { name: 'vault-transit', ...(await behindProxy(api, target, make)) }
}

const SERVERS = { 'aws-kms': 'moto', 'vault-transit': 'OpenBao' }

async function seeEveryFault({ name, proxy, newKms }) {
  const seen = new Map()
  for (const fault of faults) {
    try {
      seen.set(fault.name, await observe(proxy, newKms, fault))
    } catch (error) {
      seen.set(fault.name, error)
    }
  }
  return { server: SERVERS[name], seen }
}

/** Compares the observations with docs/faults.md. */
async function checkTable(members, report, writes) {
  const all = await Promise.all(members.map(seeEveryFault))
  const rows = []
  for (const { name } of faults) {
    await report.check(`faults/table ${name}`, () => {
      const byServer = {}
      for (const { server, seen } of all) {
        if (seen.get(name) instanceof Error) throw seen.get(name)
        byServer[server] = seen.get(name)
      }
      const row = rowOf(name, byServer)
      rows.push(row)
      console.log(row)
      if (!writes && !documentedRows().includes(row))
        throw new Error(`docs/faults.md does not say so: npm run test:servers -- faults --write`)
    })
  }
  if (writes && rows.length === faults.length) writeRows(rows)
}

async function checkMember({ name, proxy, newKms }, report) {
  const check = (what, work) =>
    report.check(`faults/${SERVERS[name]} ${what}`, async () => {
      console.log(`faults/${SERVERS[name]}: ${what}: ${await work()}`)
    })
  const realTime = process.env['EDGE_KMS_REAL_BLACKOUT'] === '1'
  await check('keys in memory serve through a blackout of 60 seconds', () =>
    serveThroughBlackout(proxy, newKms, realTime),
  )
  await check('a link that breaks again and again', () => surviveFlapping(proxy, newKms))
  await check('an answer that is cut at any place is none', () => refuseCutAnswers(proxy, newKms))
}

/** @param {{ report: ReturnType<typeof import('../lib/report.mjs').createReport>, writes?: boolean }} options */
export async function runLane({ report, writes = false }) {
  const sdk = loadSdk()
  await withServers(['toxiproxy'], async ({ toxiproxy }, [missing]) => {
    if (missing !== undefined) {
      report.skip('faults', missing.reason)
      return
    }
    const reason = await withTarget('moto', sdk, async (moto) => {
      const inner = await withOpenBao(async (openbao) => {
        const api = toxiproxy.url
        const members = [await motoBehind(api, sdk, moto), await openBaoBehind(api, openbao)]
        await checkTable(members, report, writes)
        await Promise.all(members.map((member) => checkMember(member, report)))
        for (const [gone, { name }] of members.entries())
          await report.check(`faults/two KEKs R26 all is read without ${SERVERS[name]}`, () =>
            readWithOneGone(members, gone),
          )
      })
      if (inner !== undefined) report.skip('faults', inner)
    })
    if (reason !== undefined) report.skip('faults', reason)
  })
}
