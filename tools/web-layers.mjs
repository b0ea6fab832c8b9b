// web-layers -- may this file import that one? A file imports from its own folder and from those after
// it in the list, nothing else. Exits non-zero and names every import that points the wrong way.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ORDER = ['app', 'pages', 'components', 'hooks', 'context', 'services', 'protocol']
const REACT_FREE = new Set(['services', 'protocol'])
const root = fileURLToPath(new URL('../web/src/', import.meta.url))

const files = fs.readdirSync(root, { recursive: true }).filter((f) => /\.tsx?$/.test(f))
let bad = 0
const complain = (file, what) => {
  console.error(`web/src/${file}: ${what}`)
  bad++
}

for (const file of files) {
  const layer = file.split(path.sep)[0]
  if (!ORDER.includes(layer)) {
    complain(file, `is in no layer (${ORDER.join(' ')})`)
    continue
  }
  const source = fs.readFileSync(root + file, 'utf8')
  for (const [, specifier] of source.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
    if (!specifier.startsWith('.')) {
      if (REACT_FREE.has(layer) && /^(react|react-dom|zustand$)/.test(specifier)) complain(file, `${layer} may not know ${specifier}`)
      continue
    }
    if (specifier.endsWith('.css')) continue
    const there = path.relative(root, path.resolve(root, path.dirname(file), specifier)).split(path.sep)[0]
    if (!ORDER.includes(there)) complain(file, `imports ${specifier}, which is outside src`)
    else if (ORDER.indexOf(there) < ORDER.indexOf(layer)) complain(file, `${layer} may not import ${there} (${specifier})`)
  }
}
if (bad === 0) console.log(`layers: ${files.length} files, every import points down`)
process.exit(bad === 0 ? 0 : 1)
