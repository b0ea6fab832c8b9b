// weave_bytes.test.mjs -- updates as bytes, and the relay, against npm yjs, on random sessions.
//
// Some replicas edit at once: text, formats, embeds, maps, arrays, nested types, XML, subdocuments,
// under 32- and 53-bit client ids. Their updates then go through weave: merged, cut, or into a relay
// in random order with doubles and losses. Compared is the normal form (D4): content, state vector
// and delete set of a fresh document the bytes were applied to.
// SEED=n repeats one case; CASES=n sets how many of each. B=... names another build.
import { test, after } from 'node:test'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import * as Y from 'yjs'

const root = new URL('../../', import.meta.url).pathname
const program = `${root}${process.env.B ?? 'build'}/weave-cli`
const cases = Number(process.env.CASES ?? 150)
const first = process.env.SEED ? Number(process.env.SEED) : Math.floor(Math.random() * 1e9)
const seeds = process.env.SEED ? [first] : Array.from({ length: cases }, (_, i) => first + i)
console.log(`# seeds ${seeds[0]}..${seeds.at(-1)}`)

const hex = bytes => Buffer.from(bytes).toString('hex') || '-'
const unhex = text => new Uint8Array(Buffer.from(text === '-' ? '' : text, 'hex'))

// ---- weave behind its line protocol ------------------------------------------------------------

const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
const waiting = []
let rest = ''
child.stdout.on('data', data => {
  const lines = (rest + data).split('\n')
  rest = lines.pop()
  for (const line of lines) waiting.shift().resolve(line)
})
child.on('exit', code => waiting.splice(0).forEach(w => w.reject(new Error(`weave-cli ended: ${code}`))))
after(() => child.stdin.end())

async function ask (line) {
  const answer = await new Promise((resolve, reject) => {
    waiting.push({ resolve, reject })
    child.stdin.write(line + '\n')
  })
  assert.ok(answer.startsWith('ok'), `${line.slice(0, 200)} -> ${answer}`)
  return answer.slice(3)
}

const merge = async updates => unhex(await ask(`bytes.merge ${updates.map(hex).join(' ')}`))
const diff = async (update, state) => unhex(await ask(`bytes.diff ${hex(update)} ${hex(state)}`))

class Relay {
  static next = 0
  constructor () { this.n = Relay.next++ % 60 }
  async open (max = 1 << 28) { await ask(`relay.new ${this.n} ${max}`); return this }
  async apply (update) {
    const [effective, pending, ...missing] = (await ask(`relay.apply ${this.n} ${hex(update)}`)).split(' ')
    return { effective: unhex(effective), pending: unhex(pending), missing }
  }
  async since (state = new Uint8Array([0])) { return unhex(await ask(`relay.since ${this.n} ${hex(state)}`)) }
  async state () { return unhex(await ask(`relay.state ${this.n}`)) }
  async size () { return (await ask(`relay.size ${this.n}`)).split(' ').map(Number) }
}

// ---- random sessions ---------------------------------------------------------------------------

function random (seed) {                // mulberry32
  let state = seed >>> 0
  return n => {
    state = (state + 0x6D2B79F5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
}

const words = ['a', 'bc', 'def ghi', 'é', '😀', 'x😀y', 'lorem ipsum dolor sit amet, consectetur adipiscing '.repeat(3)]
const values = [1, -1, 0.5, true, null, 'text', 'é😀', [1, [2, 'x']], { a: 1, b: { c: [] } }, undefined,
  2147483648, 1e100, new Uint8Array([1, 2, 3]), 12345678901234567n]
const listable = values.filter(v => v !== undefined && typeof v !== 'bigint')     // what Y.Array takes
const pick = (r, list) => list[r(list.length)]

function nested (r) {
  switch (r(5)) {
    case 0: return new Y.Map()
    case 1: return new Y.Array()
    case 2: return new Y.Text(pick(r, words))
    case 3: { const e = new Y.XmlElement('p'); e.setAttribute('class', 'c'); return e }
    default: return new Y.Doc({ guid: `g${r(100)}` })
  }
}

// A place to edit: the root, or sometimes a type somewhere inside.
function descend (r, type) {
  for (let depth = 0; depth < 3 && r(3) > 0; depth++) {
    let inside = []
    if (type instanceof Y.Map) inside = [...type.values()]
    else if (type instanceof Y.Array || type instanceof Y.XmlFragment) inside = type.toArray()
    inside = inside.filter(v => v instanceof Y.AbstractType)
    if (inside.length === 0) return type
    type = pick(r, inside)
  }
  return type
}

function editText (r, text) {
  const at = r(text.length + 1), some = Math.min(1 + r(8), text.length - at)
  switch (r(7)) {
    case 0: if (some > 0) text.delete(at, some); break
    case 1: if (some > 0) text.format(at, some, { [pick(r, ['b', 'i'])]: pick(r, [true, null, 'x']) }); break
    case 2: text.insertEmbed(at, { image: pick(r, words) }); break
    case 3: text.insert(at, pick(r, words), { b: true }); break
    case 4: { const all = text.length; if (all > 0 && r(4) === 0) text.delete(0, all); break }
    default: text.insert(r(3) ? text.length : at, pick(r, words))
  }
}

function editArray (r, array) {
  const at = r(array.length + 1)
  if (r(3) === 0 && at < array.length) array.delete(at, Math.min(1 + r(3), array.length - at))
  else if (r(4) === 0) array.insert(at, [nested(r)])
  else array.insert(at, Array.from({ length: 1 + r(3) }, () => pick(r, listable)))
}

function editMap (r, map) {
  const key = pick(r, ['k', 'l', 'é'])
  if (r(4) === 0) map.delete(key)
  else map.set(key, r(4) === 0 ? nested(r) : pick(r, values))
}

function editXml (r, xml) {
  const at = r(xml.length + 1)
  if (xml instanceof Y.XmlElement && r(3) === 0) xml.setAttribute(pick(r, ['id', 'class']), pick(r, words))
  else if (r(3) === 0 && at < xml.length) xml.delete(at, 1)
  else xml.insert(at, [r(2) ? new Y.XmlText(pick(r, words)) : new Y.XmlElement(pick(r, ['p', 'b']))])
}

function edit (r, doc) {
  const type = descend(r, pick(r, [() => doc.getText('t'), () => doc.getMap('m'), () => doc.getArray('a'),
    () => doc.getXmlFragment('x')])())
  if (type instanceof Y.Text) editText(r, type)     // Y.XmlText too
  else if (type instanceof Y.Map) editMap(r, type)
  else if (type instanceof Y.Array) editArray(r, type)
  else editXml(r, type)
}

const clientId = r => r(2) ? r(2 ** 32) : r(2 ** 21) * 2 ** 32 + r(2 ** 32)

// Replicas that edit and now and then see each other's work; every update anyone emitted, in order.
function session (seed) {
  const r = random(seed), docs = [], updates = []
  for (let i = 0; i < 2 + r(3); i++) {
    const doc = new Y.Doc({ gc: r(4) > 0 })
    doc.clientID = r(5) === 0 ? i + 1 : clientId(r)
    doc.getText('t'); doc.getMap('m'); doc.getArray('a'); doc.getXmlFragment('x')
    doc.on('update', (u, origin) => { if (origin !== 'remote') updates.push(u) })
    docs.push(doc)
  }
  const undo = new Y.UndoManager(docs[0].getText('t'), { captureTimeout: 0 })
  for (let i = 0, steps = 10 + r(60); i < steps; i++) {
    const doc = pick(r, docs)
    switch (r(12)) {
      case 0: case 1: { const from = pick(r, docs); Y.applyUpdate(doc, Y.encodeStateAsUpdate(from, Y.encodeStateVector(doc)), 'remote'); break }
      case 2: if (docs[0].getText('t').length && r(2)) undo.undo(); else undo.redo(); break
      case 3: doc.transact(() => { for (let k = 0; k < 4; k++) edit(r, doc) }); break
      default: edit(r, doc)
    }
  }
  return { r, docs, updates }
}

// ---- the normal form (D4) ----------------------------------------------------------------------

// A document that only integrates: Yjs also deletes doubled formats after a remote transaction, in
// every rich text it knows as one, which makes what is deleted depend on the transactions.
function replica () {
  const doc = new Y.Doc()
  doc.on('beforeObserverCalls', transaction => { transaction.local = true })
  return doc
}

function fresh (...updates) {
  const doc = replica()
  for (const u of updates) Y.applyUpdate(doc, u)
  return doc
}

// A subdocument counts by its guid, a BigInt by its digits. A pair of surrogates that somebody cut
// is U+FFFD twice on some of Yjs' own replicas and whole on others: any half counts as any other.
function plain (v) {
  if (typeof v === 'string') return v.replace(/[\ud800-\udfff\ufffd]/g, '?')
  if (v instanceof Y.Doc) return { guid: v.guid }
  if (typeof v === 'bigint') return `${v}n`
  if (Array.isArray(v)) return v.map(plain)
  if (v !== null && typeof v === 'object' && v.constructor === Object)
    return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, plain(e)]))
  return v
}

function content (doc) {
  return plain({ t: doc.getText('t').toDelta(), m: doc.getMap('m').toJSON(), a: doc.getArray('a').toJSON(), x: doc.getXmlFragment('x').toString() })
}

const byId = (a, b) => a[0] - b[0]
const stateOf = bytes => [...Y.decodeStateVector(bytes)].filter(e => e[1] > 0).sort(byId)

function normal (doc) {
  const ds = Y.createDeleteSetFromStructStore(doc.store)
  const deleted = [...ds.clients].map(([id, ranges]) => [id, ranges.map(d => [d.clock, d.len])]).sort(byId)
  const state = stateOf(Y.encodeStateVector(doc))
  const pending = doc.store.pendingStructs !== null || doc.store.pendingDs !== null
  return { state, deleted, pending, content: content(doc) }
}

const all = docs => docs.map(d => Y.encodeStateAsUpdate(d))

function shuffle (r, list) {
  const out = [...list]
  for (let i = out.length - 1; i > 0; i--) { const j = r(i + 1); [out[i], out[j]] = [out[j], out[i]] }
  return out
}

function check (name, body) {
  test(name, async () => {
    for (const seed of seeds) {
      try { await body(session(seed)) } catch (e) { e.message = `SEED=${seed}: ${e.message}`; throw e }
    }
  })
}

// ---- bytes -------------------------------------------------------------------------------------

check('d4 merge is applying all, in any order and with doubles', async ({ r, docs, updates }) => {
  const input = shuffle(r, [...updates, ...updates.filter(() => r(3) === 0), ...all(docs).filter(() => r(2))])
  assert.deepEqual(normal(fresh(await merge(input))), normal(fresh(Y.mergeUpdates(input))))
  assert.deepEqual(normal(fresh(await merge(input))), normal(fresh(...updates)))
})

check('d4 merge with losses leaves the same holes', async ({ r, updates }) => {
  const some = shuffle(r, updates.filter(() => r(3) > 0))
  if (some.length === 0) return
  const ours = await merge(some), theirs = Y.mergeUpdates(some)
  const a = fresh(ours), b = fresh(theirs)
  assert.deepEqual(normal(a), normal(b))
  // And once the lost ones come, nothing is missing.
  assert.deepEqual(normal(fresh(await merge([ours, ...updates]))), normal(fresh(...updates)))
  for (const u of updates) { Y.applyUpdate(a, u); Y.applyUpdate(b, u) }
  assert.equal(normal(a).pending, false)
  assert.deepEqual(normal(a), normal(b))
})

check('merge is deterministic, associative in content, and never larger than Yjs\'', async ({ r, updates }) => {
  const ours = await merge(updates)
  assert.ok(ours.length <= Y.mergeUpdates(updates).length)
  const cut = r(updates.length + 1)
  const halves = await Promise.all([merge(updates.slice(0, cut)), merge(updates.slice(cut))])
  assert.deepEqual(normal(fresh(await merge(halves))), normal(fresh(ours)))
  assert.deepEqual(await merge([ours]), ours)
})

check('diff is what diffUpdate gives', async ({ r, docs, updates }) => {
  const update = r(2) ? Y.encodeStateAsUpdate(pick(r, docs)) : Y.mergeUpdates(updates.filter(() => r(4) > 0))
  const have = fresh(...updates.slice(0, r(updates.length)))
  const state = Y.encodeStateVector(have)
  // Yjs drops the key bit of items that name no key; ours leaves bytes as they came.
  const same = u => hex(Y.diffUpdate(u, new Uint8Array([0])))
  assert.equal(same(await diff(update, state)), same(Y.diffUpdate(update, state)))
  const cut = new Map([...Y.decodeStateVector(state)].map(([id, clock]) => [id, r(clock + 2)]))
  const odd = Y.encodeStateVector(cut)
  assert.equal(same(await diff(update, odd)), same(Y.diffUpdate(update, odd)))
})

check('state is what encodeStateVectorFromUpdate gives', async ({ r, updates }) => {
  const u = Y.mergeUpdates(updates.filter(() => r(5) > 0))
  assert.deepEqual(stateOf(unhex(await ask(`bytes.state ${hex(u)}`))), stateOf(Y.encodeStateVectorFromUpdate(u)))
})

check('clients are those of structs and deletions, and more', async ({ docs, updates }) => {
  for (const u of [...updates, ...all(docs)]) {
    assert.equal(await ask(`bytes.check ${hex(u)}`), '0')
    const named = new Set((await ask(`bytes.clients ${hex(u)}`)).split(' ').filter(Boolean).map(Number))
    const { structs, ds } = Y.decodeUpdate(u)
    for (const s of structs) for (const id of [s.id, s.origin, s.rightOrigin]) if (id) assert.ok(named.has(id.client))
    for (const client of ds.clients.keys()) assert.ok(named.has(client))
    assert.equal(await ask(`bytes.empty ${hex(u)}`), structs.length === 0 && ds.clients.size === 0 ? '1' : '0')
  }
})

// ---- relay -------------------------------------------------------------------------------------

// What a room does: pending comes back after every effective update until nothing of it is left.
class Room {
  async open () { this.relay = await new Relay().open(); this.journal = []; this.held = []; return this }
  async take (update) {
    await this.apply(update)
    for (let progress = true; progress;) {
      progress = false
      for (const held of this.held.splice(0)) if (await this.apply(held)) progress = true
    }
  }
  async apply (update) {
    const { effective, pending, missing } = await this.relay.apply(update)
    if (effective.length) this.journal.push(effective)
    if (pending.length) { assert.ok(missing.length > 0); this.held.push(pending) }
    return effective.length > 0
  }
}

check('a5 updates in order are effective as they came', async ({ updates }) => {
  const room = await new Room().open()
  for (const u of updates) {
    const before = room.journal.length
    await room.take(u)
    if (room.journal.length > before) assert.ok(room.journal.at(-1).length <= u.length + 16)
  }
  assert.equal(room.held.length, 0)
  const whole = normal(fresh(...updates))
  assert.deepEqual(normal(fresh(await room.relay.since())), whole)
  assert.deepEqual(normal(fresh(...room.journal)), whole)
  assert.deepEqual(stateOf(await room.relay.state()), whole.state)
})

check('a5 a6 any order, doubles and losses, then a resync', async ({ r, docs, updates }) => {
  const room = await new Room().open()
  const input = shuffle(r, [...updates, ...updates.filter(() => r(3) === 0)]).filter(() => r(4) > 0)
  for (const u of input) await room.take(u)
  // A fresh document given the same has integrated just what the relay says is known.
  // (Yjs itself does not retry all that has become possible; it does when it reads its own state.)
  let seen = fresh(...input)
  for (let i = 0; i < 3; i++) seen = fresh(Y.encodeStateAsUpdate(seen))
  assert.deepEqual(stateOf(await room.relay.state()), stateOf(Y.encodeStateVector(seen)))
  for (const doc of docs) await room.take(Y.encodeStateAsUpdate(doc, await room.relay.state()))
  const whole = normal(fresh(...all(docs)))
  assert.deepEqual(room.held.length, 0)
  assert.deepEqual(normal(fresh(await room.relay.since())), whole)
  assert.deepEqual(normal(fresh(...room.journal)), whole)                  // nothing lost
  assert.deepEqual(normal(fresh(await merge(room.journal))), whole)
  // A relay made from the journal is the same relay, and all of it is effective again, once.
  const again = await new Relay().open()
  for (const u of room.journal) {
    assert.deepEqual((await again.apply(u)).effective, u)
    assert.equal((await again.apply(u)).effective.length, 0)
  }
  assert.deepEqual(normal(fresh(await again.since())), whole)
})

check('an answer holds what the asker lacks, at any point', async ({ r, docs, updates }) => {
  const room = await new Room().open()
  const replicas = docs.map(replica)
  for (const u of updates) {
    await room.take(u)
    const doc = pick(r, replicas)
    if (r(3) === 0) Y.applyUpdate(doc, await room.relay.since(Y.encodeStateVector(doc)))
  }
  const whole = normal(fresh(...updates))
  for (const doc of replicas) {
    Y.applyUpdate(doc, await room.relay.since(Y.encodeStateVector(doc)))
    assert.deepEqual(normal(doc), whole)
    const up = await room.relay.since(Y.encodeStateVector(doc))
    assert.equal(up[0], 0)              // no structs for one who has all
  }
  // Cut anywhere, even inside a struct: only what is above the state vector comes.
  const cut = new Map([...Y.decodeStateVector(Y.encodeStateVector(replicas[0]))].map(([id, clock]) => [id, r(clock + 1)]))
  const part = Y.decodeUpdate(await room.relay.since(Y.encodeStateVector(cut)))
  for (const s of part.structs) assert.ok(s.id.clock >= cut.get(s.id.client))
  // The whole state of any replica again: nothing of it is new, once its deletions are known.
  for (const doc of docs) await room.take(Y.encodeStateAsUpdate(doc))
  for (const doc of docs) assert.equal((await room.relay.apply(Y.encodeStateAsUpdate(doc))).effective.length, 0)
})

check('one update with everything, and its pieces, are the same to a relay', async ({ docs, updates }) => {
  const one = await new Relay().open(), many = await new Room().open()
  const merged = Y.mergeUpdates(all(docs))
  const { effective, pending } = await one.apply(merged)
  assert.equal(pending.length, 0)
  for (const u of updates) await many.take(u)
  assert.deepEqual(normal(fresh(effective)), normal(fresh(merged)))
  assert.deepEqual(normal(fresh(await one.since())), normal(fresh(merged)))
  assert.deepEqual(stateOf(await one.state()), stateOf(await many.relay.state()))
})

test('a typed and mostly deleted text costs what is left', async () => {
  const doc = new Y.Doc(), room = await new Room().open()
  const updates = []
  doc.on('update', u => updates.push(u))
  const r = random(first), text = doc.getText('t')
  for (let i = 0; i < 4000; i++) text.insert(r(3) ? text.length : r(text.length + 1), 'word ')
  for (let i = 0; i < 3000; i++) { const at = r(text.length - 6); text.delete(at, 6) }
  for (const u of updates) await room.take(u)
  const [memory, encoded] = await room.relay.size()
  assert.deepEqual(normal(fresh(await room.relay.since())), normal(doc))
  const yjs = Y.encodeStateAsUpdate(doc).length
  console.log(`# relay: ${encoded} encoded, ${memory} in memory; Yjs: ${yjs}; received ${updates.reduce((n, u) => n + u.length, 0)}`)
  assert.ok((await room.relay.since()).length < yjs * 2)
})
