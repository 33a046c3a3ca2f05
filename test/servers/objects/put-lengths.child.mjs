// For Deno and Bun: the last argument says where the bucket is.
import { putInEveryWay } from './put-lengths.mjs'

const { place, bucket, folder } = JSON.parse(process.argv.at(-1) ?? '')
await putInEveryWay(place, bucket, folder)
console.log('put')
