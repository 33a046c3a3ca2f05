/**
 * `client <url> <store> <key> <me> <mode> <number>`: a process of a race over one workerd.
 * `server <folder> <store>`: a workerd that writes and writes, to be killed.
 */
import { writeSync } from 'node:fs'
import process from 'node:process'
import { act } from '../support/race/child.mjs'

const [role, place, store, ...more] = process.argv.slice(2)
const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`)

if (role === 'client') {
  const [key, me, ...mode] = more
  const ask = async (path, params) => {
    const url = `${place}${path}?${new URLSearchParams({ store, key, me, ...params })}`
    return (await fetch(url)).json()
  }
  const prepare = async () => {
    const seen = await ask('link', {})
    const tried = `${Number.parseInt(seen || '0', 10) + 1}:${me}`
    // Workers KV cannot compare and swap.
    const write = store.includes('KV') ? 'put' : 'swap'
    return { seen, tried, write: () => ask(write, { seen, tried }) }
  }
  const step = async (end) => {
    const { seen, tried, write } = await prepare()
    return Number.parseInt(tried, 10) > end ? { seen } : { seen, tried, won: await write() }
  }
  await act({ prepare, step }, mode)
} else {
  const { storesMiniflare } = await import('./stores-miniflare.ts')
  const worker = await storesMiniflare(place)
  const params = new URLSearchParams({ store, key: 'killed', me: 's', end: '1000000' })
  for (;;) {
    const response = await worker.dispatchFetch(`http://localhost/step?${params}`)
    say(await response.json())
  }
}
