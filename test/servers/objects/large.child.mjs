/** One large object through `EncryptedBucket` to S3, in a process of its own that prints its peak memory. */
import { largeRoundTrip } from '../../support/objects/large.ts'
import { s3World } from './world.mjs'

const { place, bucket, mib } = JSON.parse(process.argv[2] ?? '')
const result = await largeRoundTrip(s3World(place, bucket), mib, false)
console.log(JSON.stringify({ ...result, peakMiB: process.resourceUsage().maxRSS / 1_024 }))
