// For workerd: the body of the request says where the bucket is.
import { putInEveryWay } from './put-lengths.mjs'

export default {
  /** @param {Request} request */
  async fetch(request) {
    try {
      const { place, bucket, folder } = await request.json()
      await putInEveryWay(place, bucket, folder)
      return new Response('put')
    } catch (error) {
      return new Response(String(error?.stack ?? error))
    }
  },
}
