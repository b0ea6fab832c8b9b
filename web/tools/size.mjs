// size -- what a browser must fetch, gzipped, against a budget. Follows the static imports of the
// entry and of the atom page in Vite's manifest; exits non-zero above the budget.
import fs from 'node:fs'
import zlib from 'node:zlib'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../dist/', import.meta.url))
const BUDGET_KB = { shell: 180, atom: 320, css: 20 }
const manifest = JSON.parse(fs.readFileSync(dist + '.vite/manifest.json', 'utf8'))

const closure = (keys, seen = new Set()) => {
  for (const key of keys) {
    if (seen.has(key)) continue
    seen.add(key)
    closure(manifest[key].imports ?? [], seen)
  }
  return seen
}
const gzipKb = (files) =>
  [...files].reduce((n, f) => n + zlib.gzipSync(fs.readFileSync(dist + f), { level: 9 }).length, 0) / 1024
const scripts = (keys) => new Set([...keys].map((k) => manifest[k].file))
const styles = (keys) => new Set([...keys].flatMap((k) => manifest[k].css ?? []))

const shell = closure(['index.html'])
const atom = closure(['src/pages/Atom.tsx', 'src/components/collab/TextField.tsx'], new Set(shell))
const sizes = { shell: gzipKb(scripts(shell)), atom: gzipKb(scripts(atom)), css: gzipKb(styles(atom)) }
let bad = 0
for (const [name, kb] of Object.entries(sizes)) {
  const over = kb > BUDGET_KB[name]
  bad += Number(over)
  console.log(`size: ${name} ${kb.toFixed(1)} KB gz of ${BUDGET_KB[name]}${over ? ' -- over budget' : ''}`)
}
process.exit(bad)
