/** Preloaded by `--import`: requests to Microsoft's hosts go to the fake behind a port of this machine. */
const { EDGE_KMS_DETOUR: front } = process.env
const real = globalThis.fetch

globalThis.fetch = async (input, init) => {
  const request = new Request(input, init)
  const { hostname } = new URL(request.url)
  if (front === undefined || !/\.(?:azure\.net|microsoftonline\.com)$/.test(hostname))
    return real(request)
  const headers = new Headers(request.headers)
  headers.set('x-detour-from', request.url)
  const { method, signal } = request
  const body = method === 'GET' ? undefined : await request.arrayBuffer()
  return real(front, { method, headers, signal, ...(body && { body }) })
}
