/** Whether this is a key for ECDSA over P-256 that can do this: what signs and checks checkpoints. */
export function isCheckpointKey(key: unknown, usage: 'sign' | 'verify'): key is CryptoKey {
  // By its tag, as another realm's key is one too.
  if (Object.prototype.toString.call(key) !== '[object CryptoKey]') return false
  const { algorithm, usages } = key as CryptoKey
  const { name, namedCurve } = algorithm as Partial<EcKeyAlgorithm>
  return name === 'ECDSA' && namedCurve === 'P-256' && usages.includes(usage)
}
