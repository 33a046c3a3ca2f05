/** Diagrams of each kind that pages use. */
import assert from 'node:assert/strict'
import { diagram } from '../../../docs/.vitepress/diagrams.mjs'

const SAMPLES = {
  flowchart:
    'flowchart LR\n  A[Your code]-->|asks| B[(KMS)]\n  subgraph one [Cloud]\n    B --> C{ok?}\n  end',
  sequence:
    'sequenceDiagram\n  participant A as App\n  A->>KMS: wrap\n  Note over A: waits\n  KMS-->>A: key',
  state: 'stateDiagram-v2\n  [*] --> Fresh\n  Fresh --> Stale: ttlMs\n  Stale --> [*]',
  class: 'classDiagram\n  class Cipher {\n    +encrypt()\n  }\n  Cipher --> Kms',
  er: 'erDiagram\n  KEK ||--o{ WRAP : wraps',
}

/** @type {{ name: string, run: () => void }[]} */
export const diagramCases = [
  ...Object.entries(SAMPLES).map(([kind, source]) => ({
    name: `site: a ${kind} diagram is drawn in the theme's colours, has a name and loads nothing`,
    run: () => {
      const drawn = diagram(`${source}\n`, 'The heading')
      assert.match(
        drawn,
        /^<figure class="diagram" tabindex="0" v-pre><svg .* role="img" aria-label="The heading">/,
      )
      assert.doesNotMatch(drawn, /@import|<style|fonts\.|#[0-9a-f]{6}/i)
      assert.doesNotMatch(drawn.trim(), /\n/)
    },
  })),
  {
    name: 'site: accTitle and accDescr name a diagram, and are not nodes of it',
    run: () => {
      const source =
        'flowchart LR\n  accTitle: A "short" way\n  accDescr: From A to B.\n  A --> B\n'
      const drawn = diagram(source, 'The heading')
      assert.match(drawn, /aria-label="A &quot;short&quot; way"><desc>From A to B\.<\/desc>/)
      assert.deepEqual(
        [...drawn.matchAll(/class="node" data-id="([^"]*)"/g)].map(([, id]) => id),
        ['A', 'B'],
      )
    },
  },
  {
    name: 'site: arrows without spaces are arrows',
    run: () => {
      const drawn = diagram('flowchart TD\n  A-->B\n  B==>C\n  C-.->D\n', 'x')
      assert.deepEqual(
        [...drawn.matchAll(/class="node" data-id="([^"]*)"/g)].map(([, id]) => id),
        ['A', 'B', 'C', 'D'],
      )
    },
  },
  {
    name: 'site: both heads of a two-way arrow point at their nodes',
    run: () => {
      const drawn = diagram('flowchart LR\n  A <--> B\n', 'x')
      assert.match(drawn, /marker-start="url\(#diagram-\w+-arrowhead-start\)"/)
      // The tip is on the left of this marker, so it must follow the line and not be reversed.
      assert.match(drawn, /-arrowhead-start"[^>]* orient="auto"> <polygon points="8 0, 0 2.5, 8 5"/)
    },
  },
  {
    name: 'site: two diagrams of a page share no id',
    run: () => {
      const ids = ['C', 'D'].flatMap((to) =>
        [...diagram(`flowchart LR\n  A --> ${to}\n`, 'x').matchAll(/(?<=\s)id="([^"]+)"/g)].map(
          ([, id]) => id,
        ),
      )
      assert.ok(ids.length > 0)
      assert.equal(new Set(ids).size, ids.length)
    },
  },
  {
    name: 'site: a diagram that would load something fails the build',
    run: () => {
      assert.throws(
        () => diagram('flowchart LR\n  A --> B\n  style A fill:url(https://example.com/a)\n', 'x'),
        /would load something/,
      )
    },
  },
]
