/** AWS's client and ours inside workerd: a request is a turn. Its clocks stand still, so the host measures. */
// @ts-expect-error The bundler finds it in a tool folder.
import * as client from '@aws-sdk/client-kms'
import { type Calls, makeCalls, type Operation } from './calls.ts'
import { createSides, type Place } from './sides/aws.ts'

let made: ReturnType<typeof createSides> | undefined

const handler = {
  async fetch(request: Request, env: { readonly PLACE: Place }): Promise<Response> {
    const query = new URL(request.url).searchParams
    made ??= createSides(env.PLACE, () => client)
    const sides = await made
    const side = query.get('side')
    if (side === null) return Response.json(Object.keys(sides))
    const calls = new Map(Object.entries<Calls>(sides)).get(side)
    if (calls === undefined) throw new Error(`no side ${side}`)
    const call = calls[query.get('operation') as Operation]
    await makeCalls(call, Number(query.get('calls')), Number(query.get('atOnce')))
    return new Response('done')
  },
}

export { handler as default }
