/** Whether every provider is in every place that CONTRIBUTING.md names for a new one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './folders.mjs'

const DOCUMENT = 'CONTRIBUTING.md'
const HEADING = '## Adding a provider'

/** The paths in backquotes in the table of that section. */
function placesIn(text) {
  const [, section = ''] = text.split(`${HEADING}\n`)
  const rows = section.split('\n## ')[0]?.match(/^\| .* \|$/gm) ?? []
  return rows
    .map((row) => row.split('|')[1] ?? '')
    .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path))
}

/** Returns what is missing, for the providers of a service; the local one has neither fake nor server. */
export function checkProviderPlaces() {
  const read = (path) => readFileSync(join(root, path), 'utf8')
  const places = placesIn(read(DOCUMENT))
  if (places.length === 0) return [`${DOCUMENT} has no table under "${HEADING}"`]
  const providers = readdirSync(join(root, 'src/providers')).filter((name) => name !== 'local')
  return providers.flatMap((name) =>
    places.flatMap((place) => {
      const vendor = name.split('-')[0] ?? name
      const path = place.replace('NAME', name).replace('VENDOR', vendor)
      if (!existsSync(join(root, path))) return [`${DOCUMENT}: ${name} has no ${path}`]
      if (path !== place || new RegExp(`\\b${name}\\b|\\b${vendor}`, 'i').test(read(path)))
        return []
      return [`${DOCUMENT}: ${path} does not name ${name}`]
    }),
  )
}
