import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  denoDeployToken,
  fileToken,
  githubActionsToken,
} from '../../../../src/credentials/oidc/index.ts'
import { codeOf, testPorts } from '../aws/ports.ts'

const jwt = 'aGVhZA.Ym9keQ.c2lnbg'
const env = {
  ACTIONS_ID_TOKEN_REQUEST_URL: 'https://run.actions.githubusercontent.com/t?api-version=2.0',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'canary-request-token',
}
const audience = '//iam.googleapis.com/x'

describe('OIDC tokens of GitHub Actions', () => {
  it('are asked for with the audience', async () => {
    const { network, sent } = testPorts(() => Response.json({ value: jwt, count: 1 }))
    expect(await githubActionsToken({ env, audience, network })()).toBe(jwt)
    expect(sent[0]?.url).toBe(
      'https://run.actions.githubusercontent.com/t?api-version=2.0&audience=%2F%2Fiam.googleapis.com%2Fx',
    )
    expect(sent[0]?.headers.get('authorization')).toBe('bearer canary-request-token')
  })

  it.each<[string, () => Response, string]>([
    ['401', () => new Response('canary', { status: 401 }), 'ERR_KMS_UNAUTHENTICATED'],
    ['403', () => new Response('canary', { status: 403 }), 'ERR_KMS_UNAUTHENTICATED'],
    ['500', () => new Response('canary', { status: 500 }), 'ERR_KMS_UNAVAILABLE'],
    ['a redirect', () => new Response(null, { status: 302 }), 'ERR_KMS_RESPONSE_INVALID'],
    ['HTML', () => new Response('<html>canary'), 'ERR_KMS_UNAUTHENTICATED'],
    ['no JWT', () => Response.json({ value: 'canary' }), 'ERR_KMS_UNAUTHENTICATED'],
    ['a list', () => Response.json({ value: [jwt] }), 'ERR_KMS_UNAUTHENTICATED'],
  ])('R12 %s is a typed error without a trace', async (_what, answer, code) => {
    const { network } = testPorts(answer)
    const error: unknown = await githubActionsToken({ env, audience, network })().catch(
      (caught: unknown) => caught,
    )
    expect(await codeOf(Promise.reject(error as Error))).toBe(code)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary')
  })

  it.each([
    {},
    { ...env, ACTIONS_ID_TOKEN_REQUEST_URL: 'http://run.example/t' },
    { ...env, ACTIONS_ID_TOKEN_REQUEST_URL: 'https://u:p@run.example/t' },
    { ...env, ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' },
    { ...env, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'a\r\nb' },
  ])('R9 %j is refused', async (odd) => {
    expect(await codeOf(() => githubActionsToken({ env: odd, audience }))).toBe('ERR_KMS_CONFIG')
  })
})

describe('OIDC tokens of Deno Deploy', () => {
  it('come from Deno’s own function, for the audience', async () => {
    const asked: string[] = []
    const getIdToken = (one: string) => {
      asked.push(one)
      return Promise.resolve(jwt)
    }
    expect([await denoDeployToken({ getIdToken, audience })(), asked]).toEqual([jwt, [audience]])
  })

  it('that are not JWT are refused, and an abort ends the wait', async () => {
    const none = denoDeployToken({ getIdToken: () => Promise.resolve('canary'), audience })
    expect(await codeOf(none())).toBe('ERR_KMS_UNAUTHENTICATED')
    const reason = new Error('gone')
    const never = denoDeployToken({ getIdToken: () => new Promise(() => undefined), audience })
    const controller = new AbortController()
    const work = codeOf(never({ signal: controller.signal }))
    controller.abort(reason)
    expect(await work).toBe(reason)
  })
})

describe('OIDC tokens of Deno Deploy that cannot be had', () => {
  it('R12 are a typed error without what was thrown', async () => {
    const getIdToken = () => Promise.reject(new Error('canary'))
    const error: unknown = await denoDeployToken({ getIdToken, audience })().catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({ code: 'ERR_KMS_UNAVAILABLE', retryable: true })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary')
  })
})

describe('OIDC tokens in a file', () => {
  const path = '/var/run/secrets/tokens/kms'

  it('are read anew at each exchange, and no white space around them is taken', async () => {
    const contents = [`${jwt}\n`, ` bmV3.Ym9keQ.c2lnbg\r\n`]
    const asked: string[] = []
    const token = fileToken({
      path,
      readTextFile: (one) => Promise.resolve(contents[asked.push(one) - 1] ?? ''),
    })
    expect([await token(), await token()]).toEqual([jwt, 'bmV3.Ym9keQ.c2lnbg'])
    expect(asked).toEqual([path, path])
  })

  it.each<[string, unknown]>([
    ['nothing', ''],
    ['no JWT', 'canary'],
    ['two', `${jwt}\n${jwt}`],
    ['bytes', new Uint8Array(8)],
    ['undefined', undefined],
    ['another file', `a.b.${'c'.repeat(65_536)}`],
  ])('R12 %s is refused without a trace', async (_, text) => {
    const token = fileToken({ path, readTextFile: () => Promise.resolve(text as string) })
    const error: unknown = await token().catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'ERR_KMS_UNAUTHENTICATED', provider: 'file-token' })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary')
  })

  it('that cannot be read are a mistake of the configuration, and only the system’s word is told', async () => {
    const thrown = Object.assign(new Error(`ENOENT: canary, open '${path}'`), { code: 'ENOENT' })
    for (const readTextFile of [
      () => Promise.reject(thrown),
      () => {
        throw thrown
      },
    ]) {
      const error: unknown = await fileToken({ path, readTextFile })().catch(
        (caught: unknown) => caught,
      )
      expect(error).toMatchObject({ code: 'ERR_KMS_CONFIG', cause: { message: 'ENOENT' } })
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary')
    }
  })

  it('a read that hangs ends at an abort', async () => {
    const token = fileToken({ path, readTextFile: () => new Promise(() => undefined) })
    const controller = new AbortController()
    const work = codeOf(token({ signal: controller.signal }))
    const reason = new Error('gone')
    controller.abort(reason)
    expect(await work).toBe(reason)
    expect(await codeOf(token({ signal: controller.signal }))).toBe(reason)
  })
})
