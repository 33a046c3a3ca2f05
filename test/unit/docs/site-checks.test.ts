// The checks of the documentation site, each with something that it must refuse.
import { describe, expect, it } from 'vitest'

const tool = (path: string): string => new URL(`../../../${path}`, import.meta.url).href
type Files = ReadonlyMap<string, string>
const { deadReferences, foreignLoads } = (await import(tool('tools/docs/references.mjs'))) as {
  deadReferences: (files: Files, base?: string) => string[]
  foreignLoads: (files: Files) => string[]
}
const { warningsIn } = (await import(tool('tools/docs/build.mjs'))) as {
  warningsIn: (output: string) => string[]
}
const { outsideAddress } = (await import(tool('docs/.vitepress/links.mjs'))) as {
  outsideAddress: (href: string, page: string) => string | undefined
}
const { pageProblems } = (await import(tool('tools/docs/page-list.mjs'))) as {
  pageProblems: (listed: readonly string[], present: readonly string[]) => string[]
}
const { withTables } = (await import(tool('tools/reference/table.mjs'))) as {
  withTables: (page: string, text: string, tables: Record<string, string>) => string
}
const { valueOf, optionRows } = (await import(tool('tools/reference/schema.mjs'))) as {
  valueOf: (schema: unknown, document: unknown) => string
  optionRows: (schema: unknown, document: unknown) => string[][]
}

const site = (files: Record<string, string>): Files => new Map(Object.entries(files))

describe('links of built pages', () => {
  const files = {
    'index.html': '<h1 id="top">x</h1><a href="/guides/a#one">a</a><a href="#top">top</a>',
    'guides/a.html': '<h2 id="one">x</h2><a href="../">home</a><img src="./a.svg">',
    'guides/a.svg': '',
  }

  it('that lead somewhere are fine, and text that looks like a link is text', () => {
    const text = '<code>&lt;a href="/nowhere"&gt;</code><!-- <a href="/nowhere"> -->'
    expect(deadReferences(site({ ...files, 'b.html': text }))).toEqual([])
  })

  it.each([
    ['<a href="/guides/b">', 'b.html: /guides/b leads nowhere'],
    ['<a class="x" href="guides/a#two">', 'b.html: guides/a#two has no such anchor'],
    ['<a href="#here">', 'b.html: #here has no such anchor'],
    ['<script src="/a.js"></script>', 'b.html: /a.js leads nowhere'],
  ])('%s is reported', (html, problem) => {
    expect(deadReferences(site({ ...files, 'b.html': html }))).toEqual([problem])
  })

  it('that leave the base are reported', () => {
    const html = '<a href="/docs/index"><a href="/index">'
    expect(deadReferences(site({ 'index.html': html }), '/docs/')).toEqual([
      'index.html: /index is outside /docs/',
    ])
  })
})

describe('loads from another host', () => {
  it.each([
    ['a.html', '<img src="https://example.com/a.png">'],
    ['a.html', '<link rel="stylesheet" href="//example.com/a.css">'],
    ['a.css', '@import "https://example.com/a.css";'],
    ['a.css', '.a{background:url(https://example.com/a.png)}'],
  ])('in %s: %s is reported', (path, text) => {
    expect(foreignLoads(site({ [path]: text }))).toHaveLength(1)
  })

  it('a link that a reader follows is none', () => {
    expect(foreignLoads(site({ 'a.html': '<a href="https://example.com">' }))).toEqual([])
  })
})

it.each([
  '[warning] Failed to resolve link',
  '(!) Some chunks are larger than 500 kB after minification.',
  "The language 'foo' is not loaded, falling back to 'txt'",
  '(node:1) [DEP0040] DeprecationWarning: punycode',
])('a build that says "%s" fails', (line) => {
  expect(warningsIn(`vitepress v1\n${line}\nbuild complete`)).toEqual([line])
})

describe('links that leave docs', () => {
  it.each([
    ['../SECURITY.md', 'index.md', 'blob/main/SECURITY.md'],
    ['../../src/errors.ts#L3', 'guides/node.md', 'blob/main/src/errors.ts#L3'],
    ['../../examples/node', 'guides/node.md', 'tree/main/examples/node'],
    ['../adr', 'guides/node.md', 'tree/main/docs/adr'],
  ])('%s of %s leads to the repository', (href, page, path) => {
    expect(outsideAddress(href, page)).toBe(`https://github.com/edge-kms/edge-kms/${path}`)
  })

  it.each(['caching.md#an-outage', '#here', 'https://example.com', '/guides/node', 'mailto:a@b.c'])(
    '%s stays',
    (href) => expect(outsideAddress(href, 'guides/node.md')).toBeUndefined(),
  )

  it('one that leads nowhere fails the build', () => {
    expect(() => outsideAddress('../../nowhere.ts', 'guides/node.md')).toThrow('leads nowhere')
  })
})

it('a page in no group, in two groups, or missing is reported', () => {
  expect(pageProblems(['a', 'b'], ['a', 'b'])).toEqual([])
  expect(pageProblems(['a', 'a', 'c'], ['a', 'b'])).toEqual([
    'docs/b.md is in no group of docs/.vitepress/pages.mjs',
    'docs/a.md is twice in docs/.vitepress/pages.mjs',
    'docs/.vitepress/pages.mjs lists docs/c.md, which does not exist',
  ])
})

describe('tables that the code makes', () => {
  const page = 'a\n<!-- made: one -->\nold\n<!-- end -->\nb\n'

  it('replace what stands between the marks', () => {
    const made = withTables('p', page, { one: 'new' })
    expect(made).toBe('a\n<!-- made: one -->\n\nnew\n\n<!-- end -->\nb\n')
    expect(withTables('p', made, { one: 'new' })).toBe(made)
  })

  it('need a place each, and each place a table', () => {
    expect(() => withTables('p', page, {})).toThrow('nothing makes one')
    expect(() => withTables('p', page, { one: '', two: '' })).toThrow('no place for two')
  })

  it('name options inside options, ranges and choices', () => {
    const document = { $defs: { flag: { type: 'boolean' } } }
    const schema = {
      properties: {
        order: { enum: ['a', 'b'] },
        hedge: {
          anyOf: [
            { const: false },
            {
              type: 'object',
              properties: { afterMs: { type: 'integer', minimum: 1, maximum: 60_000 } },
              required: ['afterMs'],
            },
          ],
        },
        on: { $ref: '#/$defs/flag' },
      },
      required: ['on'],
    }
    expect(optionRows(schema, document)).toEqual([
      ['`order`', '`a`, `b`', ''],
      ['`hedge`', '`false` or object', ''],
      ['`hedge.afterMs`', 'integer from 1 to 60,000', 'yes'],
      ['`on`', 'boolean', 'yes'],
    ])
    expect(valueOf({ type: 'number', exclusiveMinimum: 0, maximum: 1 }, {})).toBe(
      'number above 0, at most 1',
    )
  })
})
