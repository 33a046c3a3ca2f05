/** Inputs from real ones: each mutation draws from the generator only, so an input can be made again. */
const EDGES = [0, 1, 2, 15, 16, 17, 31, 32, 33, 127, 128, 254, 255]

const MUTATIONS = [
  function flipBits(bytes, item, random) {
    for (let i = random.below(4); i >= 0 && bytes.length > 0; i--) {
      bytes[place(bytes, item, random)] ^= 1 << random.below(8)
    }
    return bytes
  },
  function setByte(bytes, item, random) {
    if (bytes.length > 0) bytes[place(bytes, item, random)] = random.pick(EDGES)
    return bytes
  },
  function editLength(bytes, item, random) {
    if (item.lengths.length === 0 || bytes.length === 0) return bytes
    const at = random.pick(item.lengths)
    if (at >= bytes.length) return bytes
    bytes[at] = random.below(2) === 0 ? random.pick(EDGES) : bytes[at] + random.pick([-2, -1, 1, 2])
    return bytes
  },
  function truncate(bytes, item, random) {
    return bytes.subarray(0, random.below(random.below(2) === 0 ? item.head : bytes.length))
  },
  function extend(bytes, _, random) {
    return join(bytes, random.fill(new Uint8Array(1 + random.below(64))))
  },
  function remove(bytes, item, random) {
    const at = place(bytes, item, random)
    return join(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(40)))
  },
  function repeat(bytes, item, random) {
    const at = place(bytes, item, random)
    return join(bytes.subarray(0, at + 1 + random.below(40)), bytes.subarray(at))
  },
  function splice(bytes, item, random, items) {
    const other = random.pick(items)
    const at = place(bytes, item, random)
    return join(
      bytes.subarray(0, at),
      other.bytes.subarray(random.below(2) === 0 ? at : other.head),
    )
  },
]

/** Mostly in the head, where the parsers are. */
function place(bytes, item, random) {
  return random.below(random.below(4) === 0 ? bytes.length : Math.min(item.head, bytes.length))
}

function join(a, b) {
  const out = new Uint8Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}

/** A mutated envelope, seldom an unchanged one or random bytes. */
export function mutatedBytes(item, random, items) {
  const dice = random.below(64)
  if (dice === 0) return random.fill(new Uint8Array(random.below(256)))
  let bytes = new Uint8Array(item.bytes)
  if (dice === 1) return bytes
  if (dice === 2) return random.fill(bytes.subarray(4)) && bytes
  for (let i = dice % 3; i >= 0; i--) bytes = random.pick(MUTATIONS)(bytes, item, random, items)
  return new Uint8Array(bytes)
}

const SCRAPS = [
  '"',
  '{',
  '}',
  ':',
  ',',
  '\\',
  '\\u0041',
  '\\ud800',
  '\\n',
  ' ',
  '\t',
  '\n',
  '\u0000',
  '\u2028',
  'a',
  '=',
  '-',
  '_',
  '+',
  '/',
  '.',
  'ek1.',
  '😀',
  '\ud800',
  '__proto__',
  'null',
  '1',
  '[',
  ']',
  'é',
]

/** A text with some characters removed, doubled or put in. */
export function mutatedText(text, random) {
  let out = text
  for (let i = random.below(4); i > 0; i--) {
    const at = random.below(out.length + 1)
    const skip = random.below(3)
    const scrap = random.below(3) === 0 ? '' : random.pick(SCRAPS)
    out = out.slice(0, at) + scrap + out.slice(at + skip)
  }
  return out
}

export function randomText(random) {
  let out = ''
  for (let i = random.below(24); i > 0; i--) out += random.pick(SCRAPS)
  return out
}
