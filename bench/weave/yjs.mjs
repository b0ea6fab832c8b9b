// yjs.mjs -- npm yjs on the same inputs, same names, one JSON line: node --expose-gc yjs.mjs DIR NAME [RUNS]
import { createRequire } from 'node:module'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const Y = createRequire(new URL('../../tests/package.json', import.meta.url))('yjs')
const [dir, name, runsText] = process.argv.slice(2)
const runs = Number(runsText ?? 5)
const read = (ending) => { const path = join(dir, `${name}.${ending}`); return existsSync(path) ? readFileSync(path) : null }

const readOps = (b) => {
  const ops = []
  for (let at = 4, n = b.readUInt32LE(0); n > 0; n--) {
    const len = b.readUInt32LE(at + 8)
    ops.push([b.readUInt32LE(at), b.readUInt32LE(at + 4), b.toString('utf8', at + 12, at + 12 + len)])
    at += 12 + len
  }
  return ops
}
const readUpdates = (b) => {
  const updates = []
  for (let at = 4, n = b.readUInt32LE(0); n > 0; n--) {
    const len = b.readUInt32LE(at)
    updates.push(new Uint8Array(b.buffer, b.byteOffset + at + 4, len))
    at += 4 + len
  }
  return updates
}

const result = { engine: 'yjs', name, runs }
const bench = (key, work) => {
  const ms = []
  for (let i = -1; i < runs; i++) {       // the first is a warm-up
    globalThis.gc?.()
    const start = process.hrtime.bigint()
    work()
    if (i >= 0) ms.push(Number(process.hrtime.bigint() - start) / 1e6)
  }
  result[key] = Number(ms.sort((a, b) => a - b)[runs >> 1].toFixed(4))
}
const replay = (ops, onUpdate) => {
  const doc = new Y.Doc(), text = doc.getText('text')
  doc.clientID = 1000000007
  if (onUpdate) doc.on('update', onUpdate)
  for (const [at, deleted, inserted] of ops) doc.transact(() => {
    if (deleted) text.delete(at, deleted)
    if (inserted) text.insert(at, inserted)
  })
}
const stream = (updates, onUpdate) => {
  const doc = new Y.Doc()
  doc.getText('text')
  if (onUpdate) doc.on('update', onUpdate)
  for (const u of updates) Y.applyUpdate(doc, u)
  return doc
}

const opsFile = read('ops'), upsFile = read('ups'), v1File = read('v1')
if (opsFile) {
  const ops = readOps(opsFile)
  bench('local', () => replay(ops))
  bench('local_upd', () => replay(ops, () => {}))
}
if (upsFile) {
  const updates = readUpdates(upsFile), first = updates.slice(0, 1000)
  bench('stream', () => stream(updates))
  bench('stream_upd', () => stream(updates, () => {}))
  bench('merge1000', () => Y.mergeUpdates(first))
}
if (v1File) {
  const v1 = new Uint8Array(v1File), full = new Y.Doc()
  Y.applyUpdate(full, v1)
  bench('load_v1', () => Y.applyUpdate(new Y.Doc(), v1))
  bench('enc_v1', () => Y.encodeStateAsUpdate(full))
  const state = new Map([...Y.decodeStateVector(Y.encodeStateVector(full))].map(([c, n]) => [c, Math.floor(n * 0.99)]))
  const have = Y.encodeStateVector(state)
  bench('sync_diff99_x100', () => { for (let i = 0; i < 100; i++) Y.encodeStateAsUpdate(full, have) })
  const memory = () => { for (let i = 0; i < 4; i++) globalThis.gc?.(); const m = process.memoryUsage(); return m.heapUsed + m.arrayBuffers }
  const before = memory(), kept = []
  for (let i = 0; i < 8; i++) { const d = new Y.Doc(); Y.applyUpdate(d, v1); kept.push(d) }
  result.mem_loaded_kB = Math.round((memory() - before) / 8 / 1024)
  kept.length = 0
}
console.log(JSON.stringify(result))
