/**
 * A process that rotates: `<kind> <where> <clients>`. It says when it is ready, begins when it hears which version is current,
 * and ends with code 0 when the job has finished.
 */
import { once } from 'node:events'
import process from 'node:process'
import { KeyRotationManager, runRotation } from '../../../../src/rotation/index.ts'
import { kmsAt, openPlace } from './places.mjs'

const [kind, where, clients] = process.argv.slice(2)
const place = await openPlace(kind, where, clients)
process.stdout.write('ready\n')
const [line] = await once(process.stdin, 'data')
const manager = new KeyRotationManager({
  kms: kmsAt(Number(line)),
  sources: [place.source()],
  states: place.states,
  contextOf: ({ facts }) => ({ tenant: String(facts?.tenant) }),
  pageSize: 25,
})
const { phase, counts } = await runRotation(manager)
await place.close()
process.exit(phase === 'finished' && counts.corrupt === 0 ? 0 : 3)
