import type { RuntimeCase } from '../../runtime/suite.ts'

/** Members of a page of playwright-core that the cases use. */
export interface Page {
  goto(url: string): Promise<unknown>
  reload(): Promise<unknown>
  setViewportSize(size: { width: number; height: number }): Promise<void>
  emulateMedia(media: { colorScheme: 'light' | 'dark' }): Promise<void>
  on(event: 'console', hear: (message: { text(): string }) => void): unknown
  on(event: 'request', hear: (request: { url(): string }) => void): unknown
  evaluate<T, A>(work: ((given: A) => T | Promise<T>) | string, given?: A): Promise<T>
}

/** Members of a browser with one profile that the cases use. */
export interface Context {
  newPage(): Promise<Page>
  addCookies(cookies: readonly { name: string; value: string; url: string }[]): Promise<void>
  close(): Promise<void>
}

/** A profile. `open` starts a browser with it, or opens it in the browser that all share. */
export interface Profile {
  open(): Promise<Context>
}

/** Tools of the cases. */
export interface World {
  /** A new profile on the disk, which outlives its browser. */
  readonly kept: () => Profile
  /** A new profile in memory: each time it is opened it is empty. */
  readonly fresh: () => Profile
  readonly site: { readonly origin: string; readonly session: string }
}

export type Cases = (world: World) => readonly RuntimeCase[]
