/** For workerd: the request is the body of a POST. */
import { answer } from '../program.mjs'

export default {
  /** @param {Request} request */
  async fetch(request) {
    return Response.json(await answer(await request.json()))
  },
}
