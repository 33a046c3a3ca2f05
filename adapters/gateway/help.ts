/** Returns the text of `GET /`. `origin` is the address that the request named, which the guard has checked. */
export function helpText(origin: string): string {
  return `edge-kms gateway. It asks nobody who they are: keep it on this machine.

Encrypt FILE to FILE.ek, and decrypt it again:

  ${curlLine(origin, 'encrypt', 'FILE', 'FILE.ek')}
  ${curlLine(origin, 'decrypt', 'FILE.ek', 'FILE.out')}

If a line fails, throw its output file away: an answer that breaks off is not complete.

POST /v1/encrypt   plaintext to envelope   Edge-Kms-Context, Edge-Kms-Aad
POST /v1/decrypt   envelope to plaintext   the same headers
POST /v1/rewrap    envelope to envelope    Edge-Kms-Context
POST /v1/inspect   envelope to JSON
GET  /healthz      liveness
GET  /readyz       readiness, with a KMS call
GET  /metrics      Prometheus text

Both headers hold a JSON object of strings, in ASCII.
`
}

/** One line for a shell. curl streams both ways, and with -f it fails where the gateway does. */
function curlLine(origin: string, verb: string, from: string, to: string): string {
  const maps = `-H 'Edge-Kms-Context: {"tenant":"acme"}' -H 'Edge-Kms-Aad: {"file":"FILE"}'`
  return `curl -sSf -H Expect: ${maps} -X POST -T ${from} -o ${to} ${origin}/v1/${verb}`
}
