/** The clients inside workerd: a request is a turn. Its clocks stand still, so the host measures. */
// @ts-expect-error The bundler finds it in a tool folder.
import * as sdk from '@aws-sdk/client-kms'
import { createSides, makeCalls, type Operation, type Place, type Sdk, type Side } from './sides.ts'

let sides: ReturnType<typeof createSides> | undefined

const handler = {
  async fetch(request: Request, env: { readonly PLACE: Place }): Promise<Response> {
    const query = new URL(request.url).searchParams
    sides ??= createSides(env.PLACE, sdk as Sdk)
    const side = (await sides)[query.get('side') as Side]
    if (side === undefined) throw new Error('no such side')
    const call = side[query.get('operation') as Operation]
    await makeCalls(call, Number(query.get('calls')), Number(query.get('atOnce')))
    return new Response('done')
  },
}

export { handler as default }
