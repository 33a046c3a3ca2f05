/** The runner for workerd: every case runs inside one request, as an application's code would. */
import { runSuite } from './library.mjs'

export default {
  async fetch() {
    return Response.json(await runSuite())
  },
}
