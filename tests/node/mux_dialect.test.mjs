// WS /ws/{user_id}: HocuspocusProvider 4, unmodified, and the JSON text messages beside it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { startServer, until } from './server.mjs'

let server, rooms = 0
const sockets = []      // what is destroyed at the end, providers before their sockets
before(async () => { server = await startServer() })
after(async () => { for (const s of sockets) s.destroy(); await server.remove() })

const newRoom = () => `doc:mux-${rooms++}`
const socketOf = (user, query = '') => {
  const s = new HocuspocusProviderWebsocket({ url: `${server.wsUrl}/ws/${user}${query}`, WebSocketPolyfill: WebSocket, delay: 50, minDelay: 50 })
  sockets.push(s)
  return s
}
const join = (websocketProvider, name, options = {}) => {
  const events = { authenticated: [], failed: [] }
  const provider = new HocuspocusProvider({ websocketProvider, name, document: new Y.Doc(),
    onAuthenticated: (e) => events.authenticated.push(e.scope), onAuthenticationFailed: (e) => events.failed.push(e.reason), ...options })
  provider.attach()
  sockets.unshift(provider)
  return { provider, doc: provider.document, text: provider.document.getText('t'), events }
}
const saved = (c) => until('everything saved', () => c.provider.synced && c.provider.unsyncedChanges === 0)
const same = (a, b) => until('the same text', () => a.text.toString() === b.text.toString() && a.text.length > 0)

/** A bare socket that speaks JSON; app: as our own web app does. */
const bare = async (user, app = false) => {
  const ws = new WebSocket(`${server.wsUrl}/ws/${user}`, app ? ['covalent.v1'] : [])
  const s = { ws, json: [], binary: [], closed: null }
  ws.on('message', (data, isBinary) => isBinary ? s.binary.push(new Uint8Array(data)) : s.json.push(JSON.parse(data)))
  ws.on('close', (code) => { s.closed = code })
  await new Promise((done) => ws.on('open', done))
  s.say = (message) => ws.send(JSON.stringify(message))
  s.next = (type) => until(type, () => { const i = s.json.findIndex((m) => m.type === type); return i >= 0 && s.json.splice(i, 1)[0] })
  return s
}

test('r2 many rooms on one socket', async () => {
  const a = socketOf('ann'), b = socketOf('bob')
  const names = Array.from({ length: 20 }, newRoom)
  const as = names.map((n) => join(a, n)), bs = names.map((n) => join(b, n))
  await Promise.all([...as, ...bs].map(saved))
  as.forEach((c, i) => c.text.insert(0, `room ${i} `))
  bs.forEach((c, i) => c.text.insert(0, `too ${i} `))
  for (let i = 0; i < names.length; i++) await same(as[i], bs[i])
  await Promise.all([...as, ...bs].map(saved))
  for (const c of as) assert.deepEqual(c.events.authenticated, ['read-write'])
})

test('a1 the counter reaches 0 only when everything is on disk', async () => {
  const own = await startServer()
  const socket = new HocuspocusProviderWebsocket({ url: `${own.wsUrl}/ws/ann`, WebSocketPolyfill: WebSocket, delay: 50, minDelay: 50 })
  const c = join(socket, 'doc:counter')
  await saved(c)
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 20; i++) c.text.insert(c.text.length, `${round}.${i} `)
    assert.ok(c.provider.unsyncedChanges > 0)
    await saved(c)
    const length = c.text.length
    socket.disconnect()
    await own.kill9()
    await own.restart()
    const check = new HocuspocusProviderWebsocket({ url: `${own.wsUrl}/ws/eve`, WebSocketPolyfill: WebSocket })
    const d = join(check, 'doc:counter')
    await until('sync', () => d.provider.synced)
    assert.equal(d.text.length, length)
    check.destroy()
    socket.connect()
    await saved(c)
  }
  socket.destroy()
  await own.remove()
})

test('a1 edits made offline are saved when the counter says so', async () => {
  const socket = socketOf('ann'), name = newRoom(), c = join(socket, name)
  await saved(c)
  socket.disconnect()
  await until('offline', () => socket.status === 'disconnected')
  for (let i = 0; i < 50; i++) c.text.insert(0, 'x')
  socket.connect()
  c.text.insert(0, 'y')
  await saved(c)
  const d = join(socketOf('bob'), name)
  await same(c, d)
})

test('a1 sessionAwareness: two editors of one room on one socket', async () => {
  const socket = socketOf('ann'), name = newRoom()
  const a = join(socket, name, { sessionAwareness: true }), b = join(socket, name, { sessionAwareness: true })
  await saved(a)
  await saved(b)
  a.text.insert(0, 'hello ')
  b.text.insert(0, 'world ')
  await same(a, b)
  await saved(a)
  await saved(b)
  a.provider.setAwarenessField('who', 'a')
  await until('presence', () => [...b.provider.awareness.getStates().values()].some((s) => s.who === 'a'))
})

test('a10 a refused room does not end the socket', async () => {
  const socket = socketOf('ann')
  const bad = join(socket, 'atom:nobody'), worse = join(socket, 'atom:../../etc/passwd'), none = join(socket, 'nonsense')
  const good = join(socket, newRoom())
  await saved(good)
  for (const c of [bad, worse, none]) {
    await until('a refusal', () => c.events.failed.length)
    c.text.insert(0, 'dropped')
  }
  good.text.insert(0, 'fine')
  await saved(good)
  assert.ok(bad.provider.unsyncedChanges > 0)
  assert.equal(bad.events.failed.length, 1)
})

test('a1 a room can be left and joined again', async () => {
  const socket = socketOf('ann'), name = newRoom()
  const a = join(socket, name)
  await saved(a)
  a.text.insert(0, 'one')
  await saved(a)
  a.provider.destroy()
  const again = join(socket, name)
  await until('the text', () => again.text.toString() === 'one')
})

test('json join, heartbeat, leave, and errors with a code', async () => {
  const s = await bare('ann')
  s.say({ type: 'join', room: 'doc:json', id: 1 })
  const joined = await s.next('joined')
  assert.equal(joined.id, 1)
  assert.match(joined.lineage, /^[0-9a-f]{32}$/)
  s.say({ type: 'heartbeat', id: 'h' })
  assert.equal((await s.next('pong')).id, 'h')
  s.say({ type: 'leave', room_id: 'doc:json', id: 2 })
  assert.equal((await s.next('ack')).id, 2)
  s.say({ type: 'dance', id: 3 })
  const error = await s.next('error')
  assert.deepEqual([error.id, error.code], [3, 'UNKNOWN_TYPE'])
  s.ws.send('{"type":')
  assert.equal((await s.next('error')).code, 'INVALID_JSON')
  s.ws.send('['.repeat(5000))
  assert.equal((await s.next('error')).code, 'INVALID_JSON')
  s.say({ type: 'join', room: 'atom:../x', id: 4 })
  assert.equal((await s.next('error')).code, 'INVALID')
  s.say({ type: 'join', room: 'atom:nobody', id: 5 })
  const unknown = await s.next('error')
  assert.deepEqual([unknown.id, unknown.code, unknown.room], [5, 'NOT_FOUND', 'atom:nobody'])
  assert.equal(s.closed, null)
  assert.equal(s.binary.length, 0)
  s.ws.close()
})

test('json who is online', async () => {
  const s = await bare('watcher')
  s.say({ type: 'join', room: 'workspace' })
  await s.next('joined')
  await until('oneself in the list', () => s.json.some((m) => m.type === 'workspace' && m.people.some((p) => p.user === 'watcher')))
  const t = await bare('visitor')
  t.say({ type: 'join', room: 'doc:somewhere' })
  const find = () => s.json.filter((m) => m.type === 'workspace').at(-1)?.people.find((p) => p.user === 'visitor')
  await until('the visitor in its room', () => find()?.room === 'doc:somewhere')
  assert.match(find().colour, /^#[0-9a-f]{6}$/)
  t.say({ type: 'status', status: 'away' })
  await until('away', () => find()?.status === 'away')
  t.ws.close()
  await until('the visitor gone', () => !find())
  s.ws.close()
})

test('our own app is told the lineage with the grant', async () => {
  const s = await bare('ann', true)
  const name = new TextEncoder().encode('doc:app')
  s.ws.send(Uint8Array.of(name.length, ...name, 2, 0, 0))
  const joined = await s.next('joined')
  assert.equal(joined.room, 'doc:app')
  assert.match(joined.lineage, /^[0-9a-f]{32}$/)
  assert.deepEqual([...s.binary[0]], [name.length, ...name, 2, 2, 10, ...new TextEncoder().encode('read-write')])
  s.ws.close()
})

test('w1 malformed frames end their sender, nobody else', async () => {
  const name = newRoom(), a = join(socketOf('ann'), name), b = join(socketOf('bob'), name)
  await saved(a)
  for (const bytes of [[], [255], [5, 1, 2], [1, 97, 99], [200, 1, 97], [3, 100, 111, 99, 0, 0, 1]]) {
    const s = await bare('eve')
    s.ws.send(Uint8Array.from(bytes))
    await until(`close after ${bytes}`, () => s.closed)
    assert.equal(s.closed, 1007)
  }
  a.text.insert(0, 'still here')
  await same(a, b)
})
