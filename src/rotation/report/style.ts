/** The stylesheet of a page. It is constant: the page's policy names its hash. */
export const STYLE = `
:root{color-scheme:light dark;--page:#fff;--text:#1b1e22;--quiet:#56606b;--grid:#d9dee3;--card:#f4f6f8;--new:#1a5fb4;--old:#b8741a;--bad:#b3261e;--good:#1f6f43}
@media (prefers-color-scheme:dark){:root{--page:#14181c;--text:#e9edf1;--quiet:#a9b4bf;--grid:#39424b;--card:#1e242a;--new:#78b4f5;--old:#e3a64c;--bad:#ff8f85;--good:#6fcf97}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 16px 48px}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 12px;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:0 0 12px}
.verdict{margin:0 0 20px;padding:10px 14px;background:var(--card);border-left:5px solid var(--good);max-width:75ch}
.verdict.bad{border-color:var(--bad)}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px;margin:0 0 32px}
dl div{background:var(--card);padding:10px 14px;border-radius:6px}
dd{margin:0;font-size:1.1rem;font-weight:600;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
dl .wide{grid-column:1/-1}
.wide dd{font-size:1rem}
dt{font-size:.82rem;color:var(--quiet)}
section{margin:0 0 32px;padding:20px 0 0;border-top:1px solid var(--grid)}
.pair{display:grid;grid-template-columns:minmax(0,1fr);gap:20px;align-items:start}
@media (min-width:820px){.pair{grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:32px}}
figure{margin:0}
figcaption,.note{font-size:.85rem;color:var(--quiet);margin:8px 0 0}
ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;margin:8px 0 0;padding:0;font-size:.85rem}
.key{vertical-align:-1px;margin-right:6px}
svg{display:block;overflow:hidden}
.key{display:inline-block}
svg text{fill:var(--quiet);font-size:12px;font-variant-numeric:tabular-nums}
svg .name,svg .end{fill:var(--text)}
.y{text-anchor:end}
.x{text-anchor:middle}
.grid{stroke:var(--grid)}
.new{--tone:var(--new)}.old{--tone:var(--old)}.bad{--tone:var(--bad)}.limit{--tone:var(--quiet)}
.area,.bar{fill:var(--tone)}
.area.old{fill-opacity:.45}
.line{fill:none;stroke:var(--tone);stroke-width:2}
.line.old{stroke-dasharray:6 3}
.line.limit{stroke-dasharray:2 4}
.scroll{overflow-x:auto}
.scroll:focus-visible{outline:2px solid var(--new);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.88rem}
th,td{padding:5px 12px 5px 0;border-bottom:1px solid var(--grid);text-align:left;vertical-align:top;white-space:nowrap}
thead th{color:var(--quiet);font-weight:600;white-space:normal;vertical-align:bottom}
tbody th{font-weight:400}
.number{text-align:right;font-variant-numeric:tabular-nums}
.long{white-space:normal;overflow-wrap:anywhere;min-width:8em}
@media print{.pair{break-inside:avoid}}
`

/** SHA-256 of {@link STYLE}, as a Content-Security-Policy writes it; a test computes it again. */
export const STYLE_HASH = 'sha256-L0sBPsw3jFWeEzFXLhyeAplyvyrju6SvMHJ73Yw39eA='
