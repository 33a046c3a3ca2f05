import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'

/** Configurations, keys and tokens are short: more is another file. */
export const MAX_FILE_BYTES = 1_048_576
const PIECE_BYTES = 65_536

/**
 * Opening a pipe would wait for its writer, in one of the few threads that WebCrypto uses too: some such reads would
 * stop all encryption of the process. Windows has neither the flag nor such files.
 */
const FLAGS = constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0)

/**
 * Returns the text of a regular file, or of one that a link names.
 *
 * @throws Error of the system, or with the code `NOT_A_REGULAR_FILE` or `FILE_TOO_LARGE`
 */
export async function textOfFile(path: string): Promise<string> {
  const file = await open(path, FLAGS)
  try {
    demandRegular(await file.stat())
    const text = new Pieces()
    while (text.add(await file.read(Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES)));
    return text.whole()
  } finally {
    await file.close()
  }
}

/** As {@link textOfFile}, in one go. */
export function textOfFileSync(path: string): string {
  const file = openSync(path, FLAGS)
  try {
    demandRegular(fstatSync(file))
    const text = new Pieces()
    const next = (buffer: Buffer): Piece => ({ buffer, bytesRead: readSync(file, buffer) })
    while (text.add(next(Buffer.alloc(PIECE_BYTES))));
    return text.whole()
  } finally {
    closeSync(file)
  }
}

interface Piece {
  readonly buffer: Buffer
  readonly bytesRead: number
}

/** The bytes that were read so far. A file may grow, or have no end, so its size is not asked for. */
class Pieces {
  readonly #pieces: Buffer[] = []
  #length = 0

  /** Returns whether more may come. */
  add({ buffer, bytesRead }: Piece): boolean {
    this.#length += bytesRead
    if (this.#length > MAX_FILE_BYTES) throw failure('FILE_TOO_LARGE')
    this.#pieces.push(buffer.subarray(0, bytesRead))
    return bytesRead > 0
  }

  whole(): string {
    return Buffer.concat(this.#pieces).toString('utf8')
  }
}

function demandRegular(stats: Stats): void {
  if (!stats.isFile()) throw failure('NOT_A_REGULAR_FILE')
}

function failure(code: string): Error {
  return Object.assign(new Error(`the file cannot be read: ${code}`), { code })
}
