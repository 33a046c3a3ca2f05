import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { nodeAwsSigner } from '../../adapters/node/index.ts'
import { type AwsSigner, createAwsSigner } from '../../src/credentials/aws/index.ts'

interface SigV4Case {
  readonly name: string
  readonly request: string
  readonly region: string
  readonly service: string
  readonly timestamp: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly omitSessionToken: boolean
  readonly signBody: boolean
  readonly signature: string
}

const { cases } = JSON.parse(
  readFileSync(new URL('./aws-sigv4.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly SigV4Case[] }

/**
 * Cases that this signing path cannot meet, with the reason. None of them can occur here: this
 * package signs `POST /` with a body of ASCII and headers of its own.
 */
const DEVIATIONS: Readonly<Record<string, string>> = {
  'get-header-value-multiline': 'HTTP has no folded values any more (RFC 9112 section 5.2)',
  'get-relative-relative-unnormalized': 'a WHATWG URL has no path that is not normalised',
  'get-relative-unnormalized': 'a WHATWG URL has no path that is not normalised',
  'get-slash-dot-slash-unnormalized': 'a WHATWG URL has no path that is not normalised',
  'get-slash-pointless-dot-unnormalized': 'a WHATWG URL has no path that is not normalised',
  'get-slash-unnormalized': 'a WHATWG URL has no path that is not normalised',
  'get-slashes-unnormalized': 'a WHATWG URL has no path that is not normalised',
  'get-space-normalized': 'a WHATWG URL percent-encodes the path before it is signed',
  'get-space-unnormalized': 'a WHATWG URL percent-encodes the path before it is signed',
  'get-utf8': 'a WHATWG URL percent-encodes the path before it is signed',
  'post-sts-header-after': 'the session token is signed here, never added afterwards',
}

async function sign(signer: AwsSigner, one: SigV4Case): Promise<string> {
  const [head = '', body = ''] = one.request.split(/\r?\n\r?\n/, 2)
  const [requestLine = '', ...lines] = head.trimEnd().split(/\r?\n/)
  const [, method = '', target = ''] = /^(\S+) (.*) HTTP\/1\.1$/.exec(requestLine) ?? []
  const headers: Record<string, string> = {}
  let last = ''
  for (const line of lines) {
    const [, name, value = ''] = /^([^\s:]+):(.*)$/.exec(line) ?? []
    if (name !== undefined) last = name.toLowerCase()
    const held = headers[last]
    const next = name === undefined ? line.trim() : value
    headers[last] = held === undefined ? next : `${held},${next}`
  }
  if (one.signBody)
    headers['x-amz-content-sha256'] = createHash('sha256').update(body).digest('hex')
  const { host = '', ...rest } = headers
  const signed = await signer.sign(
    {
      method: method as 'GET' | 'POST',
      url: `https://${host}${target}`,
      headers: rest,
      body,
      service: one.service,
      region: one.region,
      nowMs: Date.parse(one.timestamp),
    },
    {
      accessKeyId: one.accessKeyId,
      secretAccessKey: one.secretAccessKey,
      ...(one.sessionToken !== undefined && { sessionToken: one.sessionToken }),
    },
  )
  return /Signature=([0-9a-f]{64})$/.exec(signed['authorization'] ?? '')?.[1] ?? 'none'
}

describe('SigV4: the cases that AWS publishes', () => {
  it.each(cases)('$name', async (one) => {
    for (const signer of [createAwsSigner(), nodeAwsSigner]) {
      const met = (await sign(signer, one).catch(() => 'cannot be sent')) === one.signature
      expect(met, DEVIATIONS[one.name]).toBe(DEVIATIONS[one.name] === undefined)
    }
  })

  it('knows every deviation by name', () => {
    const names = new Set(cases.map((one) => one.name))
    expect(Object.keys(DEVIATIONS).filter((name) => !names.has(name))).toEqual([])
  })
})
