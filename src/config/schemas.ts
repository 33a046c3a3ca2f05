import * as z from 'zod/mini'
import { type CheckedText, type ConfigText, Reference } from './references.ts'

/** One schema for each option: a new option without a schema is an error of the compiler. */
export type Shape<T> = { readonly [K in keyof T]-?: z.core.SomeType }

/** Members for editors only: nothing else reads them. */
export interface SelfDescribed {
  /** The address of the JSON Schema, for editors. */
  readonly $schema?: string | undefined
}

/** The options of {@link SelfDescribed}. */
export const selfDescribed: { readonly $schema: z.ZodMiniOptional<z.ZodMiniString<string>> } = {
  $schema: z.optional(z.string()),
}

/** An object with a literal that distinguishes it from others. */
export type Variant<Out, In> = z.ZodMiniType<Out, In> & z.core.$ZodTypeDiscriminable

/** A text, or a reference to one. */
export const text: z.ZodMiniType<CheckedText, ConfigText> = z.union([
  z.string(),
  z.pipe(
    z.strictObject({ env: z.string().check(z.minLength(1)) }),
    z.transform((to) => new Reference(to)),
  ),
  z.pipe(
    z.strictObject({ file: z.string().check(z.minLength(1)) }),
    z.transform((to) => new Reference(to)),
  ),
])

/** Texts that are neither secrets nor references, e.g. tags. */
export const map: z.ZodMiniType<Record<string, string>, Record<string, string>> = z.record(
  z.string(),
  z.string(),
)

export const usage: z.ZodMiniType<'encrypt' | 'decrypt' | 'both', 'encrypt' | 'decrypt' | 'both'> =
  z.enum(['encrypt', 'decrypt', 'both'])

export const flag: z.ZodMiniType<boolean, boolean> = z.boolean()
/** Of every provider that holds credentials. */
export const browserRule: { readonly dangerouslyAllowBrowser: z.ZodMiniOptional<typeof flag> } = {
  dangerouslyAllowBrowser: z.optional(flag),
}
export const number: z.ZodMiniType<number, number> = z.number()
export const texts: z.ZodMiniType<CheckedText[], ConfigText[]> = z.array(text)

/** An integer of a range, or nothing. */
export function integer(
  least: number,
  most: number,
): z.ZodMiniOptional<z.ZodMiniType<number, number>> {
  return z.optional(z.int().check(z.gte(least), z.lte(most)))
}
