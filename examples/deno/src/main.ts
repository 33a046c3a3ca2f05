import { isKmsError } from 'edge-kms'
import { denoEnv, openDenoKv } from 'edge-kms/deno'
import { tenantOf, tokensOf } from './authenticate.ts'
import { answer } from './notes.ts'
import { openCipher } from './stack.ts'

// On Deno Deploy: openDenoKv(), which is the app's database.
const kv = await openDenoKv({ path: 'notes.sqlite' })
const cipher = openCipher(kv)
const tokens = await tokensOf(denoEnv()['TOKENS'])

Deno.serve({ hostname: '127.0.0.1', port: 8000 }, async (request) => {
  const tenant = await tenantOf(request, tokens)
  if (tenant === undefined)
    return new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer' } })
  try {
    return await answer(request, { kv, cipher, tenant })
  } catch (error) {
    if (!isKmsError(error)) throw error
    // The code is for your log and for the caller; neither holds a secret.
    console.error(error.code, error.message)
    const status = error.code === 'ERR_DECRYPT_FAILED' ? 422 : error.retryable ? 503 : 500
    return Response.json({ code: error.code }, { status })
  }
})
