// Presence with the libraries people use: seen at once, no ghosts, nobody speaks for another (S1 to S3).
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { WebSocket } from 'ws'
import { encodeAwarenessUpdate } from 'y-protocols/awareness'
import { WebsocketProvider } from 'y-websocket'
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { startServer, until } from './server.mjs'
import { chaosProxy } from '../tools/chaos_proxy.mjs'

let server, rooms = 0
const ends = []
before(async () => { server = await startServer() })
after(async () => { for (const end of ends) end(); await server.remove() })

const newRoom = () => `doc:presence-${rooms++}`
const yjs = (room, user, url = server.wsUrl) => {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(`${url}/yjs`, room, doc,
    { WebSocketPolyfill: WebSocket, disableBc: true, params: { user }, maxBackoffTime: 50 })
  const end = () => { provider.destroy(); provider.awareness.destroy() }
  ends.push(end)
  provider.awareness.setLocalState({ at: 0 })
  return { id: doc.clientID, awareness: provider.awareness, isUp: () => provider.wsconnected, end }
}
const hocuspocus = (room, user, url = server.wsUrl) => {
  const socket = new HocuspocusProviderWebsocket({ url: `${url}/ws/${user}`, WebSocketPolyfill: WebSocket, delay: 50, minDelay: 50 })
  const provider = new HocuspocusProvider({ websocketProvider: socket, name: room, document: new Y.Doc() })
  provider.attach()
  const end = () => { provider.destroy(); socket.destroy() }
  ends.push(end)
  provider.awareness.setLocalState({ at: 0 })
  return { id: provider.document.clientID, awareness: provider.awareness, isUp: () => socket.status === 'connected', end }
}
const sees = (a, b) => a.awareness.getStates().has(b.id)
const both = (a, b, ms) => until('both to see each other', () => sees(a, b) && sees(b, a), ms)

for (const [name, make] of [['y-websocket', yjs], ['HocuspocusProvider', hocuspocus]]) {
  test(`s2 ${name}: joining, moving, leaving`, async () => {
    const room = newRoom(), a = make(room, 'ann'), b = make(room, 'bob')
    await both(a, b)
    a.awareness.setLocalStateField('at', 7)
    await until('the move', () => b.awareness.getStates().get(a.id)?.at === 7)
    assert.equal(b.awareness.getStates().get(a.id).user?.name ?? 'ann', 'ann')
    a.end()
    await until('the leave', () => !sees(b, a), 1000)
  })

  test(`s2 ${name}: unclean drops, both ways at once, no ghost`, async () => {
    const room = newRoom(), proxy = await chaosProxy(server.port)
    const a = make(room, 'ann', proxy.url), b = make(room, 'bob')
    await both(a, b)
    for (let i = 0; i < 3; i++) {
      proxy.drop()
      await until('the drop', () => !a.isUp() || !sees(b, a))
      await both(a, b, 4000)
    }
    proxy.refuse(true)
    proxy.drop()
    await until('gone, no ghost', () => !sees(b, a), 2000)
    proxy.refuse(false)
    await both(a, b, 4000)
    proxy.close()
  })

  test(`s2 ${name}: a half-open connection; the person is back before it is found dead`, async () => {
    const room = newRoom(), proxy = await chaosProxy(server.port)
    const a = make(room, 'ann', proxy.url), b = make(room, 'bob')
    await both(a, b)
    proxy.vanish()
    await until('the reconnect', () => proxy.count >= 2 && a.isUp())
    await both(a, b, 2000)
    a.awareness.setLocalStateField('at', 9)
    await until('the move', () => b.awareness.getStates().get(a.id)?.at === 9, 2000)
    proxy.close()
  })

  test(`s2 ${name}: the server restarts and both are seen at once`, async () => {
    const own = await startServer()
    const room = newRoom(), a = make(room, 'ann', own.wsUrl), b = make(room, 'bob', own.wsUrl)
    await both(a, b)
    await own.kill9()
    await until('the loss', () => !sees(a, b) && !sees(b, a))
    await own.restart()
    await both(a, b, 8000)
    a.end()
    await until('no ghost', () => !sees(b, a), 1000)
    b.end()
    await own.remove()
  })
}

test('s4 the two dialects see each other', async () => {
  const room = newRoom(), a = yjs(room, 'ann'), b = hocuspocus(room, 'bob')
  await both(a, b)
  b.awareness.setLocalStateField('at', 3)
  await until('the move', () => a.awareness.getStates().get(b.id)?.at === 3)
})

test('s2 a lone person stays, a sleeping one too', { timeout: 60000 }, async () => {
  const room = newRoom(), a = yjs(room, 'ann'), b = yjs(room, 'bob'), lone = yjs(newRoom(), 'carl')
  await both(a, b)
  clearInterval(a.awareness._checkInterval)       // a background tab: its timers sleep, its socket answers
  let lost = 0, closes = 0
  b.awareness.on('change', ({ removed }) => { if (removed.includes(a.id)) lost++ })
  lone.awareness.on('change', () => { closes++ })
  await new Promise((r) => setTimeout(r, 36000))
  assert.equal(lost, 0)
  assert.ok(sees(b, a) && sees(a, b))
  assert.equal(closes, 0)
  assert.ok(lone.isUp())
})

test('s1 nobody speaks for another', async () => {
  const room = newRoom(), a = yjs(room, 'ann'), b = yjs(room, 'bob'), eve = yjs(room, 'eve')
  await both(a, b)
  await both(a, eve)
  const ws = new WebSocket(`${server.wsUrl}/yjs/${room}?user=mallory`)
  await new Promise((done) => ws.on('open', done))
  const states = new Map([[a.id, { at: 'evil', user: { name: 'bob', id: 'bob' } }]])
  const fake = { states, meta: new Map([[a.id, { clock: 5000 }]]) }
  const send = (bytes) => {
    const e = encoding.createEncoder()
    encoding.writeVarUint(e, 1)
    encoding.writeVarUint8Array(e, bytes)
    ws.send(encoding.toUint8Array(e))
  }
  send(encodeAwarenessUpdate(fake, [a.id]))
  states.delete(a.id)
  fake.meta.get(a.id).clock = Number.MAX_SAFE_INTEGER
  send(encodeAwarenessUpdate(fake, [a.id]))
  a.awareness.setLocalStateField('at', 'true')
  await until('her own word', () => b.awareness.getStates().get(a.id)?.at === 'true')
  ws.close()
})

test('s3 the name is the server\'s word', async () => {
  const room = newRoom(), a = yjs(room, 'ann'), b = yjs(room, 'bob')
  await both(a, b)
  a.awareness.setLocalStateField('user', { name: 'Bob', id: 'bob', color: 'url(javascript:1)' })
  await until('the stamp', () => b.awareness.getStates().get(a.id)?.user?.id)
  const { name, id, color } = b.awareness.getStates().get(a.id).user
  assert.deepEqual([name, id], ['ann', 'ann'])
  assert.match(color, /^#[0-9a-f]{6}$/)
})
