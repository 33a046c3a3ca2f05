import { describe, expect, it } from 'vitest'
import { isKmsError } from '../../../src/errors.ts'
import type { KeyManagementService, KmsCallOptions, WrappedKey } from '../../../src/kms/index.ts'
import {
  createLocalKms,
  LocalKms,
  type LocalKmsOptions,
} from '../../../src/providers/local/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { dataKeyStoreContract, kmsContract } from '../../../src/testing/index.ts'
import { runContract } from '../../support/contract.ts'

const versions = [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }]

const variants: Readonly<Record<string, Partial<LocalKmsOptions>>> = {
  plain: {},
  'that rotates': { onRotate: () => Promise.resolve() },
  'that only encrypts': { usage: 'encrypt' },
  'that only decrypts': { usage: 'decrypt' },
}

for (const [name, options] of Object.entries(variants)) {
  describe(`contract: local KMS ${name}`, () => {
    const create = (): KeyManagementService => createLocalKms({ ...options, versions })
    runContract(
      kmsContract(create().capabilities, {
        create,
        createOther: () => createLocalKms({ ...options, versions, kekId: 'other' }),
      }),
    )
  })
}

describe('contract: memory data-key store', () => {
  runContract(dataKeyStoreContract(() => new MemoryDataKeyStore()))
})

/** Services that are wrong in one way each: the suite is worth something only if it sees them. */
class IgnoresContext extends LocalKms {
  override wrapDataKey(plaintext: never, options: KmsCallOptions): Promise<readonly WrappedKey[]> {
    return super.wrapDataKey(plaintext, { ...options, context: {} })
  }
  override unwrapDataKey(
    ...[wraps, options]: Parameters<LocalKms['unwrapDataKey']>
  ): ReturnType<LocalKms['unwrapDataKey']> {
    return super.unwrapDataKey(wraps, { ...options, context: {} })
  }
}
class TakesAnything extends LocalKms {
  override canUnwrap(): boolean {
    return true
  }
}
class DropsTheSignal extends LocalKms {
  override generateDataKey({ context }: KmsCallOptions): ReturnType<LocalKms['generateDataKey']> {
    return super.generateDataKey({ context })
  }
}
class DisposesTheDek extends LocalKms {
  override async wrapDataKey(
    ...[dek, options]: Parameters<LocalKms['wrapDataKey']>
  ): Promise<readonly WrappedKey[]> {
    const wraps = await super.wrapDataKey(dek, options)
    dek.expose().fill(0)
    return wraps
  }
}
class ShufflesBatches extends LocalKms {
  override async unwrapMany(
    ...[items, options]: Parameters<LocalKms['unwrapMany']>
  ): ReturnType<LocalKms['unwrapMany']> {
    return [...(await super.unwrapMany(items, options))].reverse()
  }
}

const broken = { IgnoresContext, TakesAnything, DropsTheSignal, DisposesTheDek, ShufflesBatches }

describe('the contract suite catches', () => {
  for (const [name, Broken] of Object.entries(broken)) {
    it(name, async () => {
      const create = (): KeyManagementService => new Broken({ versions })
      const cases = kmsContract(create().capabilities, {
        create,
        createOther: () => createLocalKms({ versions, kekId: 'other' }),
      })
      const failures: string[] = []
      for (const one of cases.filter(({ skip }) => skip === undefined)) {
        await one.run().catch((error: unknown) => {
          failures.push(isKmsError(error) ? error.code : (error as Error).name)
        })
      }
      expect(failures.length).toBeGreaterThan(0)
    })
  }
})

/** Data-key stores whose deletion is wrong in one way each. */
class KeepsTheRecord extends MemoryDataKeyStore {
  override delete(): Promise<void> {
    return Promise.resolve()
  }
}
class DeletesEverything extends MemoryDataKeyStore {
  override async delete(): Promise<void> {
    for (const key of (await this.list(undefined, 1_000)).keys) await super.delete(key)
  }
}
class RefusesTheUnknown extends MemoryDataKeyStore {
  override async delete(key: string): Promise<void> {
    if ((await this.get(key)) === undefined) throw new Error('not found')
    await super.delete(key)
  }
}
class ListsTheDeleted extends MemoryDataKeyStore {
  readonly #deleted: string[] = []
  override async delete(key: string): Promise<void> {
    this.#deleted.push(key)
    await super.delete(key)
  }
  override async list(cursor: string | undefined, limit: number) {
    const page = await super.list(cursor, limit)
    return cursor === undefined ? { ...page, keys: [...this.#deleted, ...page.keys] } : page
  }
}
class LeavesATombstone extends MemoryDataKeyStore {
  readonly #deleted = new Set<string>()
  override async delete(key: string): Promise<void> {
    this.#deleted.add(key)
    await super.delete(key)
  }
  override async putIfAbsent(...[key, record]: Parameters<MemoryDataKeyStore['putIfAbsent']>) {
    return !this.#deleted.has(key) && (await super.putIfAbsent(key, record))
  }
}

const deleting = {
  KeepsTheRecord,
  DeletesEverything,
  RefusesTheUnknown,
  ListsTheDeleted,
  LeavesATombstone,
}

describe('the contract of a data-key store catches', () => {
  it.each(Object.keys(deleting) as (keyof typeof deleting)[])('%s', async (name) => {
    const cases = dataKeyStoreContract(() => new deleting[name]())
    const failed: string[] = []
    for (const one of cases) await one.run().catch(() => failed.push(one.name))
    expect(failed).not.toEqual([])
    expect(failed.every((of) => of.includes('delete'))).toBe(true)
  })
})
