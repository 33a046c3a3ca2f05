/**
 * Returns the lines that a user sees when the gateway is ready: the two curl lines work as they stand.
 * `Expect:` because workerd never answers curl's question, so that curl would wait a second.
 *
 * @param {string} url
 * @param {readonly string[]} about
 */
export function greeting(url, about) {
  const maps = `-H 'Edge-Kms-Context: {"tenant":"acme"}' -H 'Edge-Kms-Aad: {"file":"README.md"}'`
  const curl = `curl -sSf -H Expect: ${maps} -X POST`
  return [
    `edge-kms listens on ${url} (workerd). It has no authentication: keep it on this machine.`,
    ...about,
    '',
    'Encrypt any file, and decrypt it again:',
    '',
    `  ${curl} -T README.md -o README.md.ek ${url}/v1/encrypt`,
    `  ${curl} -T README.md.ek -o README.md.out ${url}/v1/decrypt`,
    '',
    'Stop with Ctrl+C.',
  ].join('\n')
}
