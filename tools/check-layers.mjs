/** Checks the layer rule (tools/lint/layers.cjs) over src and adapters. */
import { binOf, run } from './lib/folders.mjs'

process.exit(
  run(binOf('lint', 'depcruise'), [
    '--config',
    'tools/lint/layers.cjs',
    '--output-type',
    'err-long',
    'src',
    'adapters',
  ]),
)
