import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../tools/lib/folders.mjs'

/** The decision records, by their numbers. */
const decisions = readdirSync(join(root, 'docs/adr'))
  .filter((name) => name.endsWith('.md'))
  .sort()
  .map((name) => `adr/${name.replace(/\.md$/, '')}`)

/**
 * The groups of the sidebar. A page is its path below docs/ without `.md`; a pair gives it a shorter title than its
 * first heading. `api` is the reference that the code makes.
 *
 * @type {{ text: string, open?: boolean, pages: (string | [page: string, title: string])[] }[]}
 */
export const groups = [
  {
    text: 'Start',
    open: true,
    pages: [
      ['start/node', 'Node'],
      ['start/bun', 'Bun'],
      ['start/workers', 'Cloudflare Workers'],
      ['start/lambda', 'AWS Lambda'],
      ['start/deno', 'Deno'],
      ['start/browsers', 'Browsers'],
      ['questions', 'First questions'],
    ],
  },
  {
    text: 'Lessons',
    pages: [
      ['lessons/node', 'A column in PostgreSQL'],
      ['lessons/workers', 'D1 and R2 on Workers'],
      ['lessons/lambda', 'DynamoDB on Lambda'],
      ['lessons/deno', 'Files on Deno'],
      ['lessons/rotation', 'Rotate and retire a key'],
      ['lessons/plaintext-column', 'Encrypt a column in use'],
      ['lessons/kms-outage', 'Survive a KMS outage'],
      ['lessons/move-to-another-kms', 'Move to another KMS'],
      ['lessons/leave-the-aws-encryption-sdk', 'Leave the AWS Encryption SDK'],
    ],
  },
  {
    text: 'Concepts',
    pages: [
      'concepts/envelope-encryption',
      ['guides/context-and-aad', 'Context and aad'],
      'concepts/cache-and-revocation',
      'concepts/several-keks',
      ['guides/customer-keys', 'Customers’ own keys'],
      'concepts/errors',
    ],
  },
  {
    text: 'Guides by platform',
    pages: [
      ['guides/node', 'Node and Bun'],
      ['guides/workers', 'Cloudflare Workers'],
      ['guides/lambda', 'AWS Lambda'],
      ['guides/deno', 'Deno'],
      ['guides/browsers', 'Browsers'],
      ['guides/gateway', 'Any language over HTTP'],
    ],
  },
  {
    text: 'Guides by KMS',
    pages: [
      ['guides/choosing-a-kms', 'Choose a KMS'],
      ['providers/aws-kms', 'AWS KMS'],
      ['guides/aws-profiles', 'AWS profiles and SSO'],
      ['providers/gcp-kms', 'GCP Cloud KMS'],
      ['providers/azure-key-vault', 'Azure Key Vault'],
      ['providers/vault-transit', 'Vault and OpenBao'],
      ['guides/own-provider', 'Your own provider'],
    ],
  },
  {
    text: 'Guides by task',
    pages: [
      ['guides/configuration', 'Configure'],
      ['guides/caching', 'Cache data keys'],
      ['guides/resilience', 'Prepare for outages'],
      ['guides/streams-and-ranges', 'Streams and ranges'],
      ['guides/objects', 'Objects in R2 and S3'],
      ['guides/by-reference', 'Messages by reference'],
      ['guides/stores', 'Stores'],
      ['guides/rotation', 'Rotate keys'],
      ['guides/rotation-sources', 'Sources of a rotation'],
      ['guides/rotation-engines', 'Rotate on job engines'],
      ['guides/observability', 'Metrics and audit'],
    ],
  },
  {
    text: 'Reference',
    pages: [
      'reference/cipher',
      'api',
      'reference/configuration',
      ['error-codes', 'Error codes'],
      'reference/metrics',
      'reference/limits',
      'reference/column-sizes',
      ['from-the-specification', 'Names of the specification'],
      'troubleshooting',
      'glossary',
    ],
  },
  {
    text: 'Operate',
    pages: [
      'operate/monitoring',
      'operate/capacity-and-cost',
      'operate/runbooks',
      ['guides/rotation-runbooks', 'Runbooks of rotation'],
      'operate/audit',
      ['faults', 'Faults that were tried'],
    ],
  },
  {
    text: 'Security',
    pages: ['security/threat-model', 'security/cryptographic-design', ['wire-format', 'Format']],
  },
  {
    text: 'About',
    pages: [
      'performance',
      ['architecture/layers', 'Folders and layers'],
      ['architecture/walks', 'Walks'],
      ['architecture/places', 'Places to change'],
      ['architecture/lanes', 'Commands and lanes'],
      ['proof', 'Tested environments'],
      ['live-tests', 'Tests on real accounts'],
      'requirements',
      ['releasing', 'Releases'],
      ...decisions,
    ],
  },
]
