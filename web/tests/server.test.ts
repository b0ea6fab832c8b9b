/** The app's own service, from Node, against the real server: what unit tests with a stand-in cannot prove. */
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import WebSocket from 'ws'
import type * as Y from 'yjs'
import { startServer, until } from '../../tests/node/server.mjs'
import { CollaborationService } from '../src/services/CollaborationService.js'
import { OfflineStore } from '../src/services/OfflineStore.js'
import type { Room } from '../src/services/Room.js'
import { EDIT } from '../src/services/undo.js'

let server: Awaited<ReturnType<typeof startServer>>
let rooms = 0
vi.setConfig({ testTimeout: 30_000 })
const services: CollaborationService[] = []

beforeAll(async () => {
  server = await startServer()
})
afterEach(async () => {
  await Promise.all(services.splice(0).map((s) => s.stop()))
})
afterAll(() => server.remove())

const connect = (user: string, disk = new IDBFactory()): CollaborationService => {
  const service = new CollaborationService({
    me: { user, name: user, role: 'editor' },
    url: `${server.wsUrl}/ws/${user}`,
    rootsOf: (_: string, doc: Y.Doc) => [doc.getText('t')],
    store: new OfflineStore(user, disk),
    socket: (url, protocol) => {
      const socket = new WebSocket(url, protocol)
      socket.on('error', () => undefined) // its close follows
      return socket as unknown as globalThis.WebSocket
    },
  })
  services.push(service)
  void service.start()
  return service
}

const newRoom = (): string => `doc:web-${rooms++}`
const text = (room: Room): string => room.doc.getText('t').toString()
const type = (room: Room, word: string): void => {
  const shared = room.doc.getText('t')
  room.doc.transact(() => shared.insert(shared.length, word), EDIT)
}
const saved = (room: Room) => until('saved', () => room.state.getState().save.kind === 'saved')
const sees = (room: Room, user: string, field: string | null = null) =>
  until(`${user} in ${room.name}`, () => room.state.getState().people.some((p) => p.user === user && p.field === field))

it('a1_saved_is_on_disk_when_the_server_is_killed', async () => {
  const name = newRoom()
  const room = connect('anna').open(name)
  await saved(room)
  for (let i = 0; i < 20; i++) type(room, `${i} `)
  await saved(room)
  const expected = text(room)
  await server.kill9()
  await server.restart()
  const other = connect('bo').open(name)
  await until('the text', () => text(other) === expected)
})

it('edits made while the server is down arrive once, and people see each other again', async () => {
  const name = newRoom()
  const anna = connect('anna')
  const a = anna.open(name)
  const b = connect('bo').open(name)
  await saved(a)
  await saved(b)
  a.setPresence({ field: 'name' })
  await sees(b, 'anna', 'name')
  await server.kill9()
  type(a, 'offline')
  expect(a.unsaved).toBe(1)
  await server.restart()
  anna.online()
  await until('the text', () => text(b) === 'offline', 15_000)
  await saved(a)
  await sees(b, 'anna', 'name')
  anna.release(a)
  await until('anna gone', () => !b.state.getState().people.some((p) => p.user === 'anna'), 1500)
})

it('a browser closed offline sends its edits when it opens again', async () => {
  const name = newRoom()
  const disk = new IDBFactory()
  const first = connect('anna', disk)
  const room = first.open(name)
  await saved(room)
  await server.kill9()
  type(room, 'kept')
  await first.stop()
  services.length = 0
  await server.restart()
  const second = connect('anna', disk)
  const other = connect('bo').open(name)
  await until('the text', () => text(other) === 'kept', 15_000)
  await until('nothing left', () => second.unsaved.getState().changes === 0)
})

it('a10_a_room_that_does_not_exist_is_refused_and_the_socket_stays', async () => {
  const service = connect('anna')
  const refused = service.open('atom:nobody-made-this')
  await until('refused', () => refused.state.getState().refusal !== null)
  expect(refused.state.getState().refusal?.kind).toBe('not-found')
  await saved(service.open(newRoom()))
  expect(service.connection.getState().status).toBe('open')
})
