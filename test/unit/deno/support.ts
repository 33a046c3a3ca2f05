import { vi } from 'vitest'

/** Returns the error that Deno throws where a permission is missing. */
export function notCapable(message: string): Error {
  return Object.assign(new Error(message), { name: 'NotCapable' })
}

/** Stands in for `Deno` with some variables, of which some may be read. Real Deno runs in `npm run test:examples`. */
export function stubDeno(
  variables: Readonly<Record<string, string>>,
  permitted: readonly string[] = Object.keys(variables),
  more: object = {},
): { readonly read: string[] } {
  const read: string[] = []
  vi.stubGlobal('Deno', {
    env: {
      get(name: string) {
        read.push(name)
        if (!permitted.includes(name)) throw notCapable(`Requires env access to "${name}"`)
        return variables[name]
      },
    },
    permissions: {
      querySync: ({ variable }: { variable: string }) => ({
        state: permitted.includes(variable) ? 'granted' : 'prompt',
      }),
    },
    stat: () => Promise.resolve({ isFile: true, size: 100 }),
    ...more,
  })
  return { read }
}
