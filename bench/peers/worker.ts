/** The comparison inside workerd, whose clocks stand still: the host measures whole requests. */
import { type PeerCase, peerCases, runSide } from './records.ts'
import { newPeers as jose } from './sides/jose.mjs'
import { newPeers as noble } from './sides/noble.mjs'

// Made by the first request: random bytes are refused while a Worker starts.
let cases: readonly PeerCase[] | undefined

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/empty') return new Response()
    cases ??= await peerCases((await Promise.all([jose(), noble()])).flat())
    if (pathname === '/cases')
      return Response.json(cases.map(({ sides, ...one }) => ({ ...one, sides: [...sides.keys()] })))
    const number = (name: string): number => Number(searchParams.get(name))
    await runSide(cases[number('at')], searchParams.get('side') ?? '', number('turns'))
    return new Response()
  },
}
