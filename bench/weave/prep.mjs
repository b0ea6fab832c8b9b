// prep.mjs -- from recorded editing histories to inputs every engine reads: node prep.mjs OUT TRACE.json.gz...
// The traces are those of josephg/editing-traces. Per trace NAME: NAME.ops (sequential ones), NAME.ups,
// NAME.v1, NAME.txt; the formats are at the top of bench/weave-bench.c. Made by npm yjs.
import { createRequire } from 'node:module'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const Y = createRequire(new URL('../../tests/package.json', import.meta.url))('yjs')
const [out, ...traces] = process.argv.slice(2)
const CLIENT = 1000000007

const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b }
const units = (text, points) => [...text].slice(0, points).join('').length      // code points to UTF-16 units
const editText = (text, [position, deleted, inserted]) => {
  if (deleted) text.delete(position, deleted)
  if (inserted) text.insert(position, inserted)
}

// One author: every patch is a transaction.
const sequential = (trace) => {
  const ops = trace.txns.flatMap((t) => t.patches)
  const doc = new Y.Doc()
  doc.clientID = CLIENT
  const updates = []
  doc.on('update', (u) => updates.push(u))
  const text = doc.getText('text')
  const ascii = !/[^\x00-\x7f]/.test(trace.endContent)
  const inUnits = ops.map((op) => {
    const before = ascii ? '' : text.toString()
    const at = ascii ? op[0] : units(before, op[0])
    const deleted = ascii ? op[1] : units(before, op[0] + op[1]) - at
    doc.transact(() => editText(text, [at, deleted, op[2]]))
    return [at, deleted, op[2]]
  })
  return { doc, updates, ops: inUnits }
}

// Several authors: each has a replica that first merges what the transaction's parents saw.
const concurrent = (trace) => {
  const replicas = new Map(), updates = []
  const replica = (agent) => {
    if (!replicas.has(agent)) {
      const doc = new Y.Doc()
      doc.clientID = CLIENT + agent * 1000003
      replicas.set(agent, { doc, has: new Uint8Array(trace.txns.length) })
    }
    return replicas.get(agent)
  }
  const merge = ({ doc, has }, wanted) => {
    const todo = [], stack = [...wanted]
    while (stack.length) {
      const k = stack.pop()
      if (has[k]) continue
      has[k] = 1
      todo.push(k)
      stack.push(...trace.txns[k].parents)
    }
    for (const k of todo.sort((a, b) => a - b)) for (const u of updates[k]) Y.applyUpdate(doc, u, 'remote')
  }
  trace.txns.forEach((txn, i) => {
    const r = replica(txn.agent), mine = []
    merge(r, txn.parents)
    const collect = (u, origin) => { if (origin !== 'remote') mine.push(u) }
    r.doc.on('update', collect)
    r.doc.transact(() => { for (const p of txn.patches) editText(r.doc.getText('text'), p) })
    r.doc.off('update', collect)
    updates[i] = mine
    r.has[i] = 1
  })
  const doc = new Y.Doc(), flat = updates.flat()
  for (const u of flat) Y.applyUpdate(doc, u)
  return { doc, updates: flat }
}

mkdirSync(out, { recursive: true })
for (const path of traces) {
  const name = basename(path).replace(/\.json\.gz$/, '')
  const trace = JSON.parse(gunzipSync(readFileSync(path)))
  const { doc, updates, ops } = trace.txns.some((t) => t.parents) ? concurrent(trace) : sequential(trace)
  const put = (ending, parts) => writeFileSync(join(out, `${name}.${ending}`), Buffer.concat(parts))
  const text = doc.getText('text').toString()
  if (ops) {
    if (text !== trace.endContent) throw new Error(`${name}: not the text of the trace`)
    put('ops', [u32(ops.length), ...ops.flatMap(([p, d, s]) => [u32(p), u32(d), u32(Buffer.byteLength(s)), Buffer.from(s)])])
  }
  put('ups', [u32(updates.length), ...updates.flatMap((u) => [u32(u.length), Buffer.from(u)])])
  put('v1', [Buffer.from(Y.encodeStateAsUpdate(doc))])
  put('txt', [Buffer.from(text)])
  console.log(`${name}: ${updates.length} updates, ${text.length} units`)
}
