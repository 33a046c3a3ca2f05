/** The members of a JSON Schema that the walk reads. */
export interface Json {
  readonly oneOf?: readonly Json[]
  readonly anyOf?: readonly Json[]
  readonly properties?: Readonly<Record<string, Json>>
  readonly const?: unknown
  readonly items?: Json
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Json>>
  readonly minimum?: number
  readonly maximum?: number
}

/** An option as the published schema has it. */
export interface SchemaOption {
  /** Names with dots between them; where credentials come in kinds, the kind is one. */
  readonly path: string
  readonly schema: Json
}

/** Every option below a schema; what refers to itself is gone into once. */
export function schemaOptions(root: Json): readonly SchemaOption[] {
  const below = (one: Json, path: string, above: readonly string[]): SchemaOption[] => {
    if (one.$ref !== undefined) {
      if (above.includes(one.$ref)) return []
      const target = root.$defs?.[one.$ref.replace('#/$defs/', '')] ?? {}
      return below(target, path, [...above, one.$ref])
    }
    const variants = [...(one.oneOf ?? []), ...(one.anyOf ?? [])]
    return [
      ...variants.flatMap((variant) => below(variant, path, above)),
      ...(one.items === undefined ? [] : below(one.items, path, above)),
      ...members(one, path, above),
    ]
  }
  const members = (one: Json, path: string, above: readonly string[]): SchemaOption[] => {
    // `$schema` is for editors: nothing reads it.
    const { type, provider, $schema: _schema, ...others } = one.properties ?? {}
    const kind = type?.const ?? provider?.const
    // A reference to a text is a value, not an object with options.
    if ('env' in others || 'file' in others) return []
    const place = [path, kind].filter((part) => typeof part === 'string' && part !== '').join('.')
    return Object.entries(others).flatMap(([name, schema]) => {
      const at = place === '' ? name : `${place}.${name}`
      return [{ path: at, schema }, ...below(schema, at, above)]
    })
  }
  return below(root, '', [])
}
