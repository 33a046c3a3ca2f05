import { describe, expect, it } from 'vitest'
import { createGateway } from '../../../adapters/gateway/index.ts'
import { type HealthReport, KmsError } from '../../../src/index.ts'
import { KmsMetrics } from '../../../src/observability/index.ts'
import { bytesOf, codeIn, CountedKms, ORIGIN, post, sequence, setUp } from './fixture.ts'

const reporting = (report: () => Promise<HealthReport>): CountedKms =>
  Object.assign(new CountedKms(), { healthCheck: report })
const row = { provider: 'local', kekId: 'app' }

describe('liveness and readiness', () => {
  it('is alive without a KMS call, and ready with one', async () => {
    const { app, kms } = setUp()
    expect((await app.request(`${ORIGIN}/healthz`)).status).toBe(200)
    expect(kms.calls).toBe(0)
    const ready = await app.request(`${ORIGIN}/readyz`)
    expect(ready.status).toBe(200)
    expect(await ready.json()).toMatchObject({ healthy: true, checks: [row] })
    expect(kms.calls).toBe(1)
  })

  it('answers HEAD without a body', async () => {
    const answer = await setUp().app.request(`${ORIGIN}/readyz`, { method: 'HEAD' })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('')
  })

  it.each([
    ['ERR_KMS_KEY_DISABLED', 502],
    ['ERR_KMS_UNAVAILABLE', 503],
    ['SOMETHING_ELSE', 503],
    [undefined, 503],
  ])('is not ready with a key that fails with %s', async (code, status) => {
    const checks = [
      { ...row, healthy: true },
      { ...row, healthy: false, ...(code !== undefined && { code }) },
    ]
    const { app } = setUp(reporting(() => Promise.resolve({ healthy: false, checks })))
    const answer = await app.request(`${ORIGIN}/readyz`)
    expect(answer.status).toBe(status)
    expect(await codeIn(answer)).toMatch(/^ERR_KMS_/)
    expect((await app.request(`${ORIGIN}/healthz`)).status).toBe(200)
  })

  it('is not ready where the check itself throws', async () => {
    const { app } = setUp(reporting(() => Promise.reject(new KmsError('ERR_KMS_TIMEOUT'))))
    expect((await app.request(`${ORIGIN}/readyz`)).status).toBe(504)
  })
})

describe('readiness of a KMS that never answers', () => {
  it.each([
    ['hangs', (): Promise<HealthReport> => new Promise(() => undefined)],
    [
      'answers too late',
      (): Promise<HealthReport> =>
        new Promise((resolve) => setTimeout(resolve, 500, { healthy: true, checks: [] })),
    ],
  ])('is a timeout where it %s', async (_, report) => {
    const { app } = setUp(reporting(report), { readyTimeoutMs: 50 })
    const answer = await app.request(`${ORIGIN}/readyz`)
    expect(answer.status).toBe(504)
    expect(await codeIn(answer)).toBe('ERR_KMS_TIMEOUT')
  })

  it('tells the KMS to stop', async () => {
    let signal: AbortSignal | undefined
    const kms = Object.assign(new CountedKms(), {
      healthCheck: (options: { signal?: AbortSignal }) => {
        signal = options.signal
        return new Promise(() => undefined)
      },
    })
    const { app } = setUp(kms, { readyTimeoutMs: 20 })
    await app.request(`${ORIGIN}/readyz`)
    expect(signal?.aborted).toBe(true)
  })
})

describe('metrics', () => {
  const scrape = async (app: ReturnType<typeof createGateway>): Promise<string> => {
    const answer = await app.request(`${ORIGIN}/metrics`)
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    return answer.text()
  }
  const seriesOf = (text: string): string[] =>
    text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

  it('counts answers by route and outcome, and what the cache did', async () => {
    const { app } = setUp()
    const sealed = await bytesOf(await app.fetch(post('/v1/encrypt', sequence(10))))
    await app.fetch(post('/v1/encrypt', sequence(10)))
    await app.fetch(post('/v1/decrypt', sealed))
    await app.fetch(post('/v1/decrypt', sealed, {}))
    await app.request(`${ORIGIN}/nowhere`)
    const series = seriesOf(await scrape(app))
    expect(series).toEqual(
      expect.arrayContaining([
        'edge_kms_gateway_requests_total{route="encrypt",outcome="ok"} 2',
        'edge_kms_gateway_requests_total{route="decrypt",outcome="ok"} 1',
        'edge_kms_gateway_requests_total{route="decrypt",outcome="ERR_DECRYPT_FAILED"} 1',
        'edge_kms_gateway_requests_total{route="other",outcome="ERR_GATEWAY_NOT_FOUND"} 1',
        'edge_kms_cache_lookups_total{operation="encrypt",result="miss"} 1',
        'edge_kms_cache_lookups_total{operation="encrypt",result="hit"} 1',
        'edge_kms_cache_lookups_total{operation="decrypt",result="hit"} 1',
        'edge_kms_cache_entries 1',
      ]),
    )
  })

  it('R31 has as many series after ten thousand callers and paths as after one', async () => {
    const { app } = setUp()
    const visit = async (i: number): Promise<void> => {
      await app.request(`${ORIGIN}/path-${i}`)
      const headers = { 'Edge-Kms-Context': `{"tenant":"${i}"}`, 'User-Agent': `agent-${i}` }
      await app.fetch(post('/v1/encrypt', null, headers))
    }
    await visit(0)
    await scrape(app)
    const before = seriesOf(await scrape(app)).length
    for (let i = 1; i < 10_000; i++) await visit(i)
    expect(seriesOf(await scrape(app))).toHaveLength(before)
  })

  it('is well-formed: each family has its help and type once, before its samples', async () => {
    const { app } = setUp()
    await app.fetch(post('/v1/encrypt', null))
    const text = await scrape(app)
    expect(text.endsWith('\n')).toBe(true)
    const seen = new Set<string>()
    let family = ''
    for (const line of text.trimEnd().split('\n')) {
      const [, kind, name] = /^# (HELP|TYPE) (\w+) \S/.exec(line) ?? []
      if (kind === 'HELP') {
        expect(seen).not.toContain(name)
        seen.add(name!)
        family = name!
      } else if (kind === 'TYPE') expect(name).toBe(family)
      else
        expect(line).toMatch(new RegExp(`^${family}(?:\\{\\w+="\\w+"(?:,\\w+="\\w+")*\\})? \\d+$`))
    }
  })

  it('writes the numbers of the stack below, and each series once', async () => {
    const stack = new KmsMetrics({ cache: () => ({ entries: 7 }) })
    const { app } = setUp(undefined, { metrics: stack })
    const text = await scrape(app)
    expect(text).toContain('# TYPE edge_kms_client_operation_duration_seconds histogram\n')
    expect(text.match(/^edge_kms_cache_entries /gm)).toHaveLength(1)
  })

  it('says nothing of a cache that it was not given', async () => {
    const { cipher, kms } = setUp()
    expect(await scrape(createGateway({ cipher, kms }))).not.toContain('edge_kms_cache')
  })
})
