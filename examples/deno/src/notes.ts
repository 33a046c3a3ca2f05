import type { EnvelopeCipher } from 'edge-kms'
import type { OpenDenoKv } from 'edge-kms/deno'

/** The tools of a request. */
export interface Notes {
  readonly kv: OpenDenoKv
  readonly cipher: EnvelopeCipher
  readonly tenant: string
}

/** Deno KV takes 64 KiB of a value, and the envelope is a little longer than the note. */
const MAX_NOTE_BYTES = 60_000
const PATH = /^\/notes\/([\w-]{1,100})(\/rewrap)?$/

/** Answers `PUT` and `GET /notes/{id}`, and `POST /notes/{id}/rewrap`. */
export async function answer(request: Request, notes: Notes): Promise<Response> {
  const [, id, rewraps] = PATH.exec(new URL(request.url).pathname) ?? []
  const work = `${request.method}${rewraps ?? ''}`
  if (id === undefined) return new Response('not found', { status: 404 })
  if (work === 'PUT') return put(request, id, notes)
  if (work === 'GET') return get(id, notes)
  if (work === 'POST/rewrap') return rewrap(id, notes)
  return new Response('method not allowed', { status: 405 })
}

async function put(request: Request, id: string, notes: Notes): Promise<Response> {
  const length = Number(request.headers.get('content-length') ?? NaN)
  if (!(length <= MAX_NOTE_BYTES))
    return new Response('at most 60000 bytes, with a Content-Length', { status: 413 })
  const plaintext = new Uint8Array(await request.arrayBuffer())
  const envelope = await notes.cipher.encrypt(plaintext, bindingOf(id, notes))
  await notes.kv.set(placeOf(id, notes), envelope)
  return new Response(null, { status: 204 })
}

async function get(id: string, notes: Notes): Promise<Response> {
  const { value } = await notes.kv.get(placeOf(id, notes))
  if (!(value instanceof Uint8Array)) return new Response('not found', { status: 404 })
  const plaintext = await notes.cipher.decrypt(value, bindingOf(id, notes))
  return new Response(plaintext, { headers: { 'content-type': 'text/plain; charset=utf-8' } })
}

/** Moves a note to the key that is current now. Its content is not decrypted. */
async function rewrap(id: string, notes: Notes): Promise<Response> {
  const key = placeOf(id, notes)
  const { value, versionstamp } = await notes.kv.get(key)
  if (!(value instanceof Uint8Array)) return new Response('not found', { status: 404 })
  const { context } = bindingOf(id, notes)
  const rewrapped = await notes.cipher.rewrap(value, { context })
  // If the note was written in between, its writer wins.
  const { ok } = await notes.kv.atomic().check({ key, versionstamp }).set(key, rewrapped).commit()
  return new Response(null, { status: ok ? 204 : 409 })
}

/** The KMS sees the context. The aad binds the envelope to its note, so that a copy under another id does not open. */
function bindingOf(id: string, { tenant }: Notes) {
  return { context: { tenant }, aad: { note: id } }
}

const placeOf = (id: string, { tenant }: Notes): readonly string[] => ['notes', tenant, id]
