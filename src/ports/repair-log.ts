/** A data key that was made without the wraps of some KEKs. */
export interface MissingWraps {
  /** `edge-kms:dk`: which data key. Public, and in every message of the key. */
  readonly dataKey: string
  /** Names of the providers whose wraps are missing, in the order of the configuration. */
  readonly providers: readonly string[]
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

/** Notes missing wraps, for the rotation step that adds them. */
export interface RepairLog {
  /** Resolves when the note is durable. Noting twice is not an error. */
  note(missing: MissingWraps, options: { readonly signal?: AbortSignal | undefined }): Promise<void>
}
