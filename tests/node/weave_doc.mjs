// weave_doc.mjs -- sessions of replicas that edit at once, some of them npm yjs, some of them weave.
//
// A case is a seed, a set-up and a list of steps with their own random numbers, so that steps can be
// left out and the rest still means something (shrink). Every weave replica has a yjs twin: same
// client id, same updates in the same order, same edits. After each local edit the twin's update
// must be the same bytes; at the end the state as well. All replicas must agree on the normal form.
import { spawn } from 'node:child_process'
import * as Y from 'yjs'
import * as encoding from 'lib0/encoding'

export const hex = bytes => Buffer.from(bytes).toString('hex') || '-'
export const unhex = text => new Uint8Array(Buffer.from(text === '-' ? '' : text, 'hex'))
const hexOf = text => hex(Buffer.from(text, 'utf8'))

export function random (seed) {         // mulberry32
  let state = seed >>> 0
  return n => {
    state = (state + 0x6D2B79F5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
}

// ---- weave behind its line protocol ------------------------------------------------------------

export class Weave {
  constructor (program) {
    this.child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.waiting = []
    this.dead = new Promise(resolve => this.child.on('exit', (code, signal) => {
      const error = new Error(`weave-cli ended: ${signal ?? code}`)
      this.gone = error
      for (const w of this.waiting.splice(0)) w.reject(error)
      resolve()
    }))
    this.child.stdin.on('error', () => {})
    let rest = ''
    this.child.stdout.on('data', data => {
      const lines = (rest + data).split('\n')
      rest = lines.pop()
      for (const line of lines) this.waiting.shift().resolve(line)
    })
  }

  ask (line) {
    if (this.gone) return Promise.reject(this.gone)
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject })
      this.child.stdin.write(line + '\n')
    })
  }

  async call (line) {                   // the result behind `ok`
    const answer = await this.ask(line)
    if (!answer.startsWith('ok')) throw new Error(`${line.slice(0, 120)} -> ${answer}`)
    return answer.slice(3)
  }

  async end () {
    this.child.stdin.end()
    await this.dead
  }
}

export const any = value => {
  if (value instanceof Uint8Array) return 'B' + hex(value)
  const e = encoding.createEncoder()
  encoding.writeAny(e, value)
  return hex(encoding.toUint8Array(e))
}

// ---- normal form (rulings D4): runs joined, delete set, content ---------------------------------

const idText = id => id ? `${id.client}:${id.clock}` : '-'
const JOINS = new Set([1, 2, 4, 8])

function structText (s) {
  if (s.constructor.name === 'GC') return { kind: 'gc', len: s.length, text: '' }
  const ref = s.content.getRef()
  const item = { kind: 'item', ref, len: s.length, origin: idText(s.origin), right: idText(s.rightOrigin), text: '' }
  if (!s.origin && !s.rightOrigin) {
    item.parent = (typeof s.parent === 'string' ? s.parent : idText(s.parent)) + '/' + (s.parentSub ?? '')
  }
  const e = new Y.UpdateEncoderV1()
  if (ref === 4) item.text = s.content.str
  else if (ref === 8) item.text = s.content.arr.map(any).join(',') + ','
  else if (ref !== 1) { s.content.write(e, 0); item.text = hex(e.toUint8Array()) }
  return item
}

function joins (a, b, last) {
  if (a.kind !== b.kind) return false
  if (a.kind === 'gc') return true
  return a.ref === b.ref && JOINS.has(a.ref) && b.origin === last && a.right === b.right
}

export function normalForm (update) {
  const { structs, ds } = Y.decodeUpdate(update)
  const clients = new Map()
  for (const s of structs) {
    if (s.constructor.name === 'Skip') continue
    const list = clients.get(s.id.client) ?? clients.set(s.id.client, []).get(s.id.client)
    const next = structText(s)
    const last = list.at(-1)
    next.clock = s.id.clock
    if (last && last.clock + last.len === next.clock &&
        joins(last, next, `${s.id.client}:${next.clock - 1}`)) {
      last.len += next.len
      last.text += next.text
    } else list.push(next)
  }
  const deleted = [...ds.clients].map(([client, ranges]) => {
    const sorted = ranges.map(r => [r.clock, r.clock + r.len]).sort((a, b) => a[0] - b[0])
    const joined = []
    for (const [from, to] of sorted) {
      if (joined.length && from <= joined.at(-1)[1]) joined.at(-1)[1] = Math.max(to, joined.at(-1)[1])
      else joined.push([from, to])
    }
    return [client, joined]
  }).sort((a, b) => a[0] - b[0])
  return JSON.stringify({ structs: [...clients].sort((a, b) => a[0] - b[0]), deleted })
}

// A replica that had to cut a surrogate pair holds two U+FFFD for it; yjs does not tell the others.
const withoutPairs = form => form.replace(/[\uD800-\uDFFF]/g, '\uFFFD')

// ---- replicas -------------------------------------------------------------------------------------

const roots = doc => ({ text: doc.getText('text'), map: doc.getMap('map'), list: doc.getArray('list'), xml: doc.getXmlFragment('xml') })

class Replica {
  constructor (client, { gc, cleans }) {
    this.doc = new Y.Doc({ gc })
    this.doc.clientID = client
    roots(this.doc)
    if (!cleans) this.doc.on('afterTransaction', t => { t._needFormattingCleanup = false })
    this.sent = []
    this.doc.on('update', (update, origin) => { if (origin !== 'remote') this.sent.push(update) })
  }

  async apply (update) { Y.applyUpdate(this.doc, update, 'remote') }
  async edit (edit) { edit.yjs(this.doc) }
  async state () { return Y.encodeStateVector(this.doc) }
  async since (state) { return Y.encodeStateAsUpdate(this.doc, state) }
  async json () { return jsonOf(this.doc) }
}

// yjs compares the values of formats by identity when it tidies up around deleted text: whether two
// equal objects are the same depends on whether the document was loaded since. To weave they never are.
function forgetIdentity (doc) {
  for (const structs of doc.store.clients.values()) {
    for (const { content } of structs) {
      if (content?.constructor.name === 'ContentFormat') content.value = structuredClone(content.value)
    }
  }
}

class WeaveReplica extends Replica {
  constructor (client, weave, number) {
    super(client, { gc: true, cleans: false })
    this.weave = weave
    this.number = number
  }

  async open () { await this.weave.call(`doc.new ${this.number} ${this.doc.clientID}`) }

  // yjs retries what waits only when the clock it noted has come, and it may have noted a later one
  // than it needs (behind a hole). weave retries as soon as it can, so the twin is made to.
  async apply (update) {
    const before = contents(this.doc)
    this.doc.transact(() => {
      Y.applyUpdate(this.doc, update, 'remote')
      const waiting = this.doc.store.pendingStructs
      if (!waiting) return
      this.doc.store.pendingStructs = null
      Y.applyUpdateV2(this.doc, waiting.update, 'remote')
    }, 'remote')
    if (update.length % 2) {            // with nobody listening weave takes shorter ways
      await this.weave.call(`doc.apply ${this.number} ${hex(update)}`)
      return
    }
    const told = JSON.parse(Buffer.from(await this.weave.call(`doc.watch ${this.number} ${hex(update)}`), 'hex').toString())
    checkEvents(this.doc, before, told)
  }

  async edit (edit) {
    if (!edit.weave) return
    const before = this.sent.length
    const lines = edit.weave(this.doc, this.number)     // named by how the document is before the edit
    if (lines.length === 0) return
    forgetIdentity(this.doc)
    edit.yjs(this.doc)
    await this.weave.call(`doc.begin ${this.number}`)
    for (const line of lines) await this.weave.call(line)
    const ours = await this.weave.call(`doc.commit ${this.number}`)
    const theirs = this.sent.slice(before).map(hex).join('')
    if (ours !== theirs) throw new Error(`local edit ${lines}\n  weave ${ours}\n  yjs   ${theirs}`)
  }

  async state () { return unhex(await this.weave.call(`doc.state ${this.number}`)) }
  async since (state) { return unhex(await this.weave.call(`doc.since ${this.number} ${hex(state)}`)) }

  async compare () {
    const ours = await this.weave.call(`doc.since ${this.number} -`)
    const theirs = Y.encodeStateAsUpdate(this.doc)
    if (normalForm(unhex(ours)) !== normalForm(theirs)) throw new Error(`state\n  weave ${ours}\n  yjs   ${hex(theirs)}`)
    const waits = this.doc.store.pendingStructs || this.doc.store.pendingDs
    if (!waits && ours !== hex(theirs)) this.differs = `${ours}\n  ${hex(theirs)}`
    return ours
  }

  async json () {
    const json = {}
    for (const name of ['text', 'map', 'list']) {
      json[name] = JSON.parse(Buffer.from(await this.weave.call(`doc.json ${this.number} ${hexOf(name)}`), 'hex').toString())
    }
    return canonical(json)
  }
}

const emptied = { text: '', map: {}, list: [] }
const canonical = value => JSON.stringify(value, (_, v) => v && typeof v === 'object' && !Array.isArray(v)
  ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => a < b ? -1 : 1))
  : v)

function jsonOf (doc) {
  const r = roots(doc)
  return canonical(JSON.parse(JSON.stringify({ text: r.text.toJSON(), map: r.map.toJSON(), list: r.list.toJSON() })))
}

const sameJson = (ours, theirs) => {    // an empty root does not say what it is
  const a = JSON.parse(ours)
  for (const name of Object.keys(emptied)) a[name] ??= emptied[name]
  return canonical(a) === theirs
}

// ---- events -----------------------------------------------------------------------------------------
// What every type holds, before; the events turn it into what it holds after, and leave out nothing.

const plain = v => v instanceof Uint8Array ? '#6' : v instanceof Y.Doc ? '#10' : v instanceof Y.AbstractType ? '#9' : v === undefined ? '#0' : JSON.parse(JSON.stringify(v))
const unitsOf = text => [...Array(text.length).keys()].map(i => /[\ud800-\udfff\ufffd]/.test(text[i]) ? '\ufffd' : text[i])
const sorted = o => Object.fromEntries(Object.entries(o).sort(([a], [b]) => a < b ? -1 : 1))

function contentOf (type) {
  if (type instanceof Y.Text) {
    return type.toDelta().flatMap(({ insert, attributes = {} }) =>
      (typeof insert === 'string' ? unitsOf(insert) : [plain(insert)]).map(unit => ({ unit, attributes: sorted(attributes) })))
  }
  if (type instanceof Y.Map) return sorted(Object.fromEntries([...type].map(([k, v]) => [k, plain(v)])))
  return type.toArray().map(v => ({ unit: plain(v), attributes: {} }))
}

function everyType (doc) {              // [type, its path, its root's name]
  const found = []
  const visit = (type, path, root) => {
    found.push({ type, path, root })
    const children = type instanceof Y.Map ? [...type] : type instanceof Y.Array ? type.toArray().map((v, i) => [i, v]) : []
    for (const [step, value] of children) if (isTarget(value)) visit(value, [...path, step], root)
  }
  const r = roots(doc)
  for (const name of ['text', 'map', 'list']) visit(r[name], [], name)
  return found
}

const contents = doc => new Map(everyType(doc).map(({ type }) => [type, contentOf(type)]))

function afterDeltas (list, deltas) {
  const out = []
  let at = 0
  for (const { op, len, text, values, attributes } of deltas) {
    if (op === 0) {
      for (const old of list.slice(at, at + len)) {
        const merged = { ...old.attributes, ...attributes }
        for (const key of Object.keys(merged)) if (merged[key] === null) delete merged[key]
        out.push({ unit: old.unit, attributes: sorted(merged) })
      }
    } else if (op === 1) {
      for (const unit of text ? unitsOf(text) : values) out.push({ unit, attributes: sorted(attributes) })
    }
    if (op !== 1) at += len
  }
  return [...out, ...list.slice(at)]
}

function checkEvents (doc, before, { events, roots: numbers }) {
  const told = new Map(events.map(e => [`${e.root}/${JSON.stringify(e.path)}`, e]))
  for (const { type, path, root } of everyType(doc)) {
    if (!before.has(type)) continue                     // new: part of what changed around it
    const e = told.get(`${numbers[root]}/${JSON.stringify(path)}`)
    const was = before.get(type), is = contentOf(type)
    let ours = was
    if (e && type instanceof Y.Map) {
      ours = { ...was }
      for (const { key, action, old } of e.keys) {
        const known = key in was ? was[key] : '#0'
        if (JSON.stringify(old) !== JSON.stringify(known) && action !== 0) throw new Error(`old value of ${key}: ${JSON.stringify(old)}, was ${JSON.stringify(known)}`)
        if ((action === 0) === (key in was)) throw new Error(`action ${action} of ${key}`)
        if (action === 2) delete ours[key]
        else ours[key] = is[key]
      }
      ours = sorted(ours)
    } else if (e) ours = afterDeltas(was, e.deltas)
    if (JSON.stringify(ours) !== JSON.stringify(is)) {
      throw new Error(`event at ${root} ${JSON.stringify(path)}: ${JSON.stringify(e)}\n  was  ${JSON.stringify(was)}\n  ours ${JSON.stringify(ours)}\n  yjs  ${JSON.stringify(is)}`)
    }
  }
}

// ---- edits ----------------------------------------------------------------------------------------

const WORDS = ['a', 'bc', 'def', 'é', '😀', '漢字', 'x'.repeat(20), 'a😀b', '\n', 'tail ']
const FORMATS = [{ b: true }, { b: null }, { i: true, b: true }, { i: null }, { link: 'x"y' }, { font: { size: 1.5 } }, { link: null, i: true }]
const VALUES = [0, -0, 1, 255, 2147483647, 2147483648, -5, 0.5, 0.1, 1e300, true, false, null, 'v', 'é😀', '', [1, [2, 'x']], { a: 1, b: { c: null } }, new Uint8Array([1, 2, 250])]
const kinds = { 0: Y.Array, 1: Y.Map, 2: Y.Text }
const pick = (list, n) => list[n % list.length]

// Every text, map and list with the steps that lead to it, at most three deep.
function targets (doc) {
  const found = []
  const visit = (type, path, depth) => {
    found.push({ type, path })
    if (depth === 3) return
    if (type instanceof Y.Map) {
      for (const [key, value] of type) if (isTarget(value)) visit(value, `${path}/k${hexOf(key)}`, depth + 1)
    } else if (type instanceof Y.Array) {
      type.forEach((value, i) => { if (isTarget(value)) visit(value, `${path}/i${i}`, depth + 1) })
    }
  }
  const r = roots(doc)
  for (const name of ['text', 'map', 'list']) visit(r[name], hexOf(name), 1)
  return found
}
const isTarget = v => v && (v.constructor === Y.Array || v.constructor === Y.Map || v.constructor === Y.Text)

const formatWords = f => Object.entries(f).map(([k, v]) => `${hexOf(k)} ${hexOf(JSON.stringify(v))}`).join(' ')

function textEdit (path, r) {
  const at = t => t.length ? r[2] % (t.length + 1) : 0
  const len = t => Math.min(t.length - at(t), 1 + r[3] % 6)
  switch (r[1] % 9) {
    case 0: case 1: case 2: case 3: {
      const word = pick(WORDS, r[4])
      return [t => t.insert(at(t), word), (d, t) => `doc.insert ${d} ${path} ${at(t)} ${hexOf(word)}`]
    }
    case 4: case 5: return [t => len(t) && t.delete(at(t), len(t)), (d, t) => len(t) ? `doc.delete ${d} ${path} ${at(t)} ${len(t)}` : null]
    case 6: {
      const f = pick(FORMATS, r[4])
      return [t => len(t) && t.format(at(t), len(t), { ...f }), (d, t) => len(t) ? `doc.format ${d} ${path} ${at(t)} ${len(t)} ${formatWords(f)}` : null]
    }
    case 7: {
      const f = pick(FORMATS, r[4]), word = pick(WORDS, r[5])
      return [t => t.insert(at(t), word, { ...f }), (d, t) => `doc.insert ${d} ${path} ${at(t)} ${hexOf(word)} ${formatWords(f)}`]
    }
    default: {
      const embed = { image: 'u' + r[4] % 3 }
      return [t => t.insertEmbed(at(t), embed), (d, t) => `doc.embed ${d} ${path} ${at(t)} ${hexOf(JSON.stringify(embed))}`]
    }
  }
}

function mapEdit (path, r) {
  const key = 'k' + r[2] % 4
  switch (r[1] % 6) {
    case 0: case 1: case 2: {
      const value = pick(VALUES, r[3])
      return [m => m.set(key, value), d => `doc.set ${d} ${path} ${hexOf(key)} ${any(value)}`]
    }
    case 3: return [m => m.delete(key), d => `doc.unset ${d} ${path} ${hexOf(key)}`]
    case 4: {
      const kind = r[3] % 3, name = 'n' + r[2] % 2
      return [m => m.set(name, new kinds[kind]()), d => `doc.nestkey ${d} ${path} ${hexOf(name)} ${kind}`]
    }
    default: {
      const guid = 'g' + r[3] % 5
      return [m => m.set('sub', new Y.Doc({ guid, ...(r[4] % 2 ? { meta: { z: 1 }, autoLoad: true } : {}) })),
        r[4] % 2 ? null : d => `doc.set ${d} ${path} ${hexOf('sub')} D${hexOf(guid)}`]
    }
  }
}

function listEdit (path, r) {
  const at = a => a.length ? r[2] % (a.length + 1) : 0
  const len = a => Math.min(a.length - at(a), 1 + r[3] % 3)
  switch (r[1] % 6) {
    case 0: case 1: case 2: {
      const values = Array.from({ length: 1 + r[3] % 3 }, (_, i) => pick(VALUES, r[4] + 7 * i))
      return [a => a.insert(at(a), values), (d, a) => `doc.push ${d} ${path} ${at(a)} ${values.map(any).join(' ')}`]
    }
    case 3: case 4: return [a => len(a) && a.delete(at(a), len(a)), (d, a) => len(a) ? `doc.pull ${d} ${path} ${at(a)} ${len(a)}` : null]
    default: {
      const kind = r[3] % 3
      return [a => a.insert(at(a), [new kinds[kind]()]), (d, a) => `doc.nest ${d} ${path} ${at(a)} ${kind}`]
    }
  }
}

function xmlEdit (doc, r) {
  const { xml } = roots(doc)
  const at = n => r[2] % (n.length + 1)
  const elements = xml.toArray().filter(e => e instanceof Y.XmlElement)
  const element = elements.length ? pick(elements, r[3]) : null
  switch (r[1] % 6) {
    case 0: case 1: xml.insert(at(xml), [new Y.XmlElement(pick(['p', 'div', 'H1'], r[4]))]); break
    case 2: if (element) element.setAttribute(pick(['class', 'id'], r[4]), 'v' + r[5] % 5); break
    case 3: if (element) element.insert(at(element), [new Y.XmlText(pick(WORDS, r[4]))]); break
    case 4: if (xml.length) xml.delete(r[2] % xml.length, 1); break
    default: {
      const text = element?.toArray().find(e => e instanceof Y.XmlText)
      if (text) text.insert(at(text), pick(WORDS, r[4]), r[5] % 2 ? { b: true } : undefined)
    }
  }
}

// One edit of a document as it is then: what yjs does and the lines that make weave do the same.
function choose (doc, r) {
  const target = pick(targets(doc), r[0])
  const edit = target.type instanceof Y.Text ? textEdit : target.type instanceof Y.Map ? mapEdit : listEdit
  const [yjs, weave] = edit(target.path, r)
  return { target, yjs, weave }
}

function editOf (step) {
  if (step.kind === 'xml') return { yjs: doc => doc.transact(() => xmlEdit(doc, step.r)) }
  return {
    yjs: doc => {
      const { target, yjs } = choose(doc, step.r)
      doc.transact(() => yjs(target.type))
    },
    weave: (doc, number) => {
      const { target, weave } = choose(doc, step.r)
      const line = weave === null ? null : weave(number, target.type)
      return line === null ? [] : [line]
    }
  }
}

// ---- cases ----------------------------------------------------------------------------------------

export function makeCase (seed) {
  const rnd = random(seed)
  const n = 2 + rnd(5)
  const replicas = Array.from({ length: n }, (_, i) => ({
    weave: i === 0 || rnd(2) === 0,
    client: rnd(3) ? 1 + rnd(1000) * 10 + i : 2 ** 53 - 1 - rnd(1e6) * 10 - i,
    gc: rnd(5) > 0,
    cleans: rnd(3) === 0
  }))
  const steps = []
  const count = 40 + rnd(160)
  for (let k = 0; k < count; k++) {
    const kind = pick(['edit', 'edit', 'edit', 'edit', 'edit', 'xml', 'deliver', 'deliver', 'deliver', 'lose', 'twice', 'sync'], rnd(12))
    steps.push({ at: rnd(n), kind, r: Array.from({ length: 8 }, () => rnd(1e6)) })
  }
  return { seed, replicas, steps }
}

class Session {
  constructor (weave, setup) {
    this.replicas = setup.map((s, i) => s.weave ? new WeaveReplica(s.client, weave, i) : new Replica(s.client, s))
    this.inbox = this.replicas.map(() => [])
    this.taken = this.replicas.map(() => 0)
  }

  async open () { for (const r of this.replicas) await r.open?.() }

  send () {                             // what was written since goes into everybody's inbox
    this.replicas.forEach((r, i) => {
      for (; this.taken[i] < r.sent.length; this.taken[i]++) {
        this.inbox.forEach((box, j) => { if (i !== j) box.push(r.sent[this.taken[i]]) })
      }
    })
  }

  async step (s) {
    const r = this.replicas[s.at], box = this.inbox[s.at]
    if (s.kind === 'edit' || s.kind === 'xml') await r.edit(editOf(s))
    else if (s.kind === 'lose') box.splice(s.r[0] % (box.length + 1), 1)
    else if (s.kind === 'twice') { if (box.length) box.push(pick(box, s.r[0])) } else if (s.kind === 'sync') await this.sync(s.at, s.r[0] % this.replicas.length)
    else for (let k = 1 + s.r[0] % 6; k > 0 && box.length; k--) await r.apply(box.splice(s.r[k] % box.length, 1)[0])
    this.send()
  }

  async sync (to, from) {
    if (to === from) return
    await this.replicas[to].apply(await this.replicas[from].since(await this.replicas[to].state()))
  }

  async settle () {                     // until nobody has anything to say (cleanups make new updates)
    const n = this.replicas.length
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) await this.sync(i, j)
      this.send()
      if (this.inbox.every(box => box.length === 0)) break
      this.inbox = this.inbox.map(() => [])
    }
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) await this.sync(i, j)
  }

  async check () {
    const forms = []
    for (const r of this.replicas) {
      if (r.compare) await r.compare()
      const collected = new Y.Doc()     // a replica that collects nothing holds more than the others
      Y.applyUpdate(collected, await r.since())
      forms.push(withoutPairs(normalForm(Y.encodeStateAsUpdate(collected))))
      const json = jsonOf(r.doc)
      if (r.weave && !sameJson(await r.json(), json)) throw new Error(`json\n  weave ${await r.json()}\n  yjs   ${json}`)
    }
    forms.forEach((form, i) => {
      if (form !== forms[0]) throw new Error(`replicas 0 and ${i} differ\n  ${forms[0]}\n  ${form}`)
    })
  }
}

WeaveReplica.prototype.since = async function (state) {
  return unhex(await this.weave.call(`doc.since ${this.number} ${state ? hex(state) : '-'}`))
}

// Runs a case; the error or null. Counts weave documents whose bytes differ from yjs' though the
// normal form is the same.
export async function runCase (weave, { replicas, steps }) {
  const session = new Session(weave, replicas)
  try {
    await session.open()
    for (const s of steps) await session.step(s)
    for (const r of session.replicas) if (r.compare) await r.compare()
    await session.settle()
    await session.check()
  } catch (error) {
    return { error }
  }
  return { error: null, differs: session.replicas.filter(r => r.differs).map(r => r.differs) }
}

// Leaves out as many steps as possible while it still fails.
export async function shrink (program, test) {
  const fails = async steps => {
    const weave = new Weave(program)
    const { error } = await runCase(weave, { ...test, steps })
    await weave.end()
    return error
  }
  let steps = test.steps, error = await fails(steps)
  for (let size = steps.length >> 1; size > 0; size >>= 1) {
    for (let from = 0; from < steps.length;) {
      const fewer = [...steps.slice(0, from), ...steps.slice(from + size)]
      const failed = await fails(fewer)
      if (failed) { steps = fewer; error = failed } else from += size
    }
  }
  return { ...test, steps, error }
}
