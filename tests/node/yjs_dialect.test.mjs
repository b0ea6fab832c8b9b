// WS /yjs/{room} with y-websocket 3, unmodified.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { startServer, until } from './server.mjs'
import { chaosProxy } from '../tools/chaos_proxy.mjs'

let server, rooms = 0
const providers = []
before(async () => { server = await startServer() })
after(async () => { for (const p of providers) { p.destroy(); p.awareness.destroy() } await server.remove() })

const newRoom = () => `room-${rooms++}`
const join = (room, user, { url = server.wsUrl, doc = new Y.Doc(), ...options } = {}) => {
  const provider = new WebsocketProvider(`${url}/yjs`, room, doc,
    { WebSocketPolyfill: WebSocket, disableBc: true, params: user ? { user } : {}, ...options })
  providers.push(provider)
  return { provider, doc, text: doc.getText('t') }
}
const synced = (c) => until('sync', () => c.provider.synced)
const same = (a, b) => until('the same text', () => a.text.toString() === b.text.toString() && a.text.length > 0)

/** A bare socket: messages in an array, closed: {code, reason} when it is. */
const bare = async (path, protocols) => {
  const ws = new WebSocket(`${server.wsUrl}${path}`, protocols)
  const s = { ws, messages: [], closed: null }
  ws.on('message', (data, isBinary) => s.messages.push(isBinary ? new Uint8Array(data) : data.toString()))
  ws.on('close', (code, reason) => { s.closed = { code, reason: reason.toString() } })
  ws.on('error', () => {})
  await until('the socket', () => ws.readyState === WebSocket.OPEN || s.closed)
  return s
}

test('r2 two editors converge', async () => {
  const room = newRoom()
  const a = join(room, 'ann'), b = join(room, 'bob')
  await synced(a)
  await synced(b)
  for (let i = 0; i < 100; i++) {
    a.text.insert(Math.floor(Math.random() * (a.text.length + 1)), `a${i} `)
    b.text.insert(Math.floor(Math.random() * (b.text.length + 1)), `b${i} `)
    if (i % 10 === 0) { a.text.delete(0, Math.min(3, a.text.length)); await new Promise((r) => setTimeout(r, 1)) }
  }
  await same(a, b)
  const c = join(room, 'carl')
  await same(c, a)
})

test('r2 edits made offline arrive once', async () => {
  const room = newRoom()
  const a = join(room, 'ann'), b = join(room, 'bob')
  await synced(a)
  a.text.insert(0, 'start ')
  await same(a, b)
  b.provider.disconnect()
  b.text.insert(b.text.length, 'offline')
  a.text.insert(0, 'meanwhile ')
  b.provider.connect()
  await same(a, b)
  assert.equal(a.text.toString(), 'meanwhile start offline')
})

test('r2 through a line that drops and cuts bytes apart', async () => {
  const room = newRoom(), proxy = await chaosProxy(server.port)
  const a = join(room, 'ann', { url: proxy.url, maxBackoffTime: 50 }), b = join(room, 'bob')
  await synced(a)
  proxy.bytesOneByOne = true
  for (let i = 0; i < 5; i++) {
    a.text.insert(a.text.length, `a${i} `)
    b.text.insert(0, `b${i} `)
    proxy.drop()
    await until('a reconnect', () => a.provider.synced)
  }
  await same(a, b)
  for (let i = 0; i < 5; i++) assert.equal(a.text.toString().split(`a${i} `).length, 2)
  proxy.close()
})

test('j2 what others saw is there after kill -9', async () => {
  const room = newRoom()
  const a = join(room, 'ann', { maxBackoffTime: 50 }), b = join(room, 'bob', { maxBackoffTime: 50 })
  await synced(a)
  await synced(b)
  a.text.insert(0, 'durable')
  await same(a, b)
  a.provider.disconnect()
  b.provider.disconnect()
  await server.kill9()
  await server.restart()
  const c = join(room, 'carl')
  await synced(c)
  assert.equal(c.text.toString(), 'durable')
})

test('r2 maps, arrays and formats pass unchanged', async () => {
  const room = newRoom()
  const a = join(room, 'ann'), b = join(room, 'bob')
  await synced(a)
  a.doc.getMap('m').set('k', { deep: [1, 'zwei', null, true, 3.5] })
  a.doc.getArray('l').push([1, new Y.Map([['x', 'y']])])
  a.text.insert(0, 'bold', { bold: true })
  a.text.insertEmbed(1, { image: 'x.png' })
  a.doc.getXmlFragment('p').push([new Y.XmlElement('p')])
  await synced(b)
  await until('all of it', () => b.doc.getXmlFragment('p').length === 1)
  assert.deepEqual(b.doc.getMap('m').toJSON(), a.doc.getMap('m').toJSON())
  assert.deepEqual(b.doc.getArray('l').toJSON(), [1, { x: 'y' }])
  assert.deepEqual(b.text.toDelta(), a.text.toDelta())
})

test('a10 an unknown entity is 4404 and y-websocket stops', async () => {
  const a = join('atom:nobody', 'ann')
  const closed = await new Promise((done) => a.provider.on('closed', done))
  assert.equal(closed.code, 4404)
})

test('a10 names: hints, kinds, hostile ones', async () => {
  for (const [name, code] of [['user:5', 4404], ['workspace', 4404], ['atom:..%2f..%2fetc', 4404], ['atom:a%00b', 4404],
    [`doc:${'x'.repeat(600)}`, 4404]]) {
    const s = await bare(`/yjs/${name}`)
    await until(`${name} to be refused`, () => s.closed)
    if (s.closed.code !== 1006) assert.equal(s.closed.code, code, name)     // 1006: refused as HTTP already
    assert.equal(s.messages.some((m) => m[0] === 0), false, 'no content')
  }
  const ok = await bare('/yjs/doc:user:5')
  await until('a step 1', () => ok.messages.length)
  assert.deepEqual([...ok.messages[0]], [0, 0, 1, 0])
  ok.ws.close()
})

test('a10 the fourth refusal in ten seconds is held', async () => {
  const started = Date.now()
  for (let i = 0; i < 4; i++) {
    const s = await bare('/yjs/atom:again-and-again')
    await until('the close', () => s.closed)
    assert.equal(s.closed.code, 4404)
  }
  assert.ok(Date.now() - started > 4000)
})

test('w1 malformed messages end their sender, nobody else', async () => {
  const room = newRoom()
  const a = join(room, 'ann'), b = join(room, 'bob')
  await synced(a)
  await synced(b)
  for (const bytes of [[], [9], [0, 9, 0], [0, 2, 200, 1], [0, 2, 3, 1, 2, 3], [1, 3, 255, 255, 255], [0, 0, 2, 255, 255], [0x80, 0x80, 0x80]]) {
    const s = await bare(`/yjs/${room}`)
    s.ws.send(Uint8Array.from(bytes))
    await until(`close after ${bytes}`, () => s.closed)
    assert.equal(s.closed.code, 1007)
  }
  const text = await bare(`/yjs/${room}`)
  text.ws.send('text on a binary dialect')
  await until('close', () => text.closed)
  a.text.insert(0, 'still here')
  await same(a, b)
})

test('a10 a draining server says 1012', async () => {
  const other = await startServer()
  const ws = new WebSocket(`${other.wsUrl}/yjs/drain`)
  let code
  ws.on('close', (c) => { code = c })
  await new Promise((done) => ws.on('open', done))
  await other.stop()
  await until('the close', () => code)
  assert.equal(code, 1012)
  await other.remove()
})

test('a7 too much is read later, never refused, and slows nobody else', async () => {
  const room = newRoom()
  const a = join(room, 'ann'), b = join(room, 'bob')
  await synced(a)
  await synced(b)
  const letters = () => randomBytes(50000).toString('hex')
  for (let i = 0; i < 50; i++) a.text.insert(0, letters())        // 5 MB: more than the burst
  b.text.insert(0, 'meanwhile')
  await until('all of it', () => b.text.length === 5000009, 30000)
  await same(a, b)
  assert.ok(a.provider.wsconnected)
})
