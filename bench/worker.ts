/** The benchmark inside workerd, whose clocks stand still: the host measures whole requests. */
import { streamOnce } from './streams.ts'
import { createSuite, runTurns, type Suite } from './suite.ts'

// Made by the first request: random bytes are refused while a Worker starts.
let suite: Suite | undefined

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const number = (name: string): number => Number(searchParams.get(name))
    if (pathname === '/empty') return new Response()
    if (pathname === '/memory') {
      await streamOnce(searchParams.get('mode') ?? '', number('bytes'))
      return new Response()
    }
    suite ??= await createSuite(number('bytes'), [])
    if (pathname === '/infos') return Response.json(suite.infos)
    if (pathname === '/counts') return Response.json(await suite.counts())
    await runTurns(suite, number('at'), searchParams.get('side') ?? '', number('turns'))
    return new Response()
  },
}
