import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { CollaborationService } from '../src/services/CollaborationService.js'
import { OfflineStore } from '../src/services/OfflineStore.js'
import { EDIT } from '../src/services/undo.js'
import type { Room } from '../src/services/Room.js'
import { FakeServer } from './fakeServer.js'

const ROOM = 'atom:a'
let server: FakeServer
let services: CollaborationService[]

const connect = (user: string, factory: IDBFactory | null = new IDBFactory()): CollaborationService => {
  const service = new CollaborationService({
    me: { user, name: user, role: 'editor' },
    url: `ws://x/ws/${user}`,
    dice: () => 0.5,
    rootsOf: (_, doc) => [doc.getMap('atom')],
    socket: server.socket,
    store: new OfflineStore(user, factory ?? undefined),
  })
  if (factory === null)
    Object.defineProperty(service, 'store', {
      value: new OfflineStore(user, {
        open: () => {
          throw new Error()
        },
      } as never),
    })
  services.push(service)
  void service.start()
  return service
}

/** Let timers and IndexedDB's own turns run. */
const pass = async (ms: number): Promise<void> => {
  for (let left = ms; left > 0; left -= 50) {
    await vi.advanceTimersByTimeAsync(Math.min(50, left))
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
  }
}

const value = (doc: Y.Doc, key = 'k') => doc.getMap('atom').get(key)
const edit = (room: Room, key: string, to: unknown) =>
  room.doc.transact(() => room.doc.getMap('atom').set(key, to), EDIT)
const save = (room: Room) => room.state.getState().save

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
  server = new FakeServer()
  services = []
})

afterEach(async () => {
  const stopping = Promise.all(services.map((s) => s.stop()))
  await pass(200)
  await stopping
  vi.useRealTimers()
})

describe('service', () => {
  it('brings an edit of one person to the other', async () => {
    const anna = connect('anna').open(ROOM)
    const bo = connect('bo').open(ROOM)
    await pass(200)
    edit(anna, 'k', 'v')
    await pass(100)
    expect(value(bo.doc)).toBe('v')
    expect(save(anna)).toEqual({ kind: 'saved' })
  })

  it('a1_saved_waits_for_the_acknowledgement', async () => {
    const room = connect('anna').open(ROOM)
    await pass(200)
    server.holdAcks = true
    edit(room, 'k', 1)
    await pass(100)
    expect(save(room)).toEqual({ kind: 'pending' })
    await pass(3000)
    expect(save(room)).toEqual({ kind: 'saving', unsaved: 1 })
    server.letAcksGo()
    await pass(50)
    expect(save(room)).toEqual({ kind: 'saved' })
  })

  it('sends at most one frame every 30 ms', async () => {
    const room = connect('anna').open(ROOM)
    await pass(200)
    for (let i = 0; i < 300; i++) {
      edit(room, 'k', i)
      await vi.advanceTimersByTimeAsync(1)
    }
    await pass(100)
    expect(server.room(ROOM).updatesReceived).toBeLessThanOrEqual(12)
    expect(value(server.room(ROOM).doc)).toBe(299)
    expect(room.unsaved).toBe(0)
  })

  it('counts what was typed offline and empties the count on return', async () => {
    const service = connect('anna')
    const room = service.open(ROOM)
    await pass(200)
    server.reachable = false
    server.cut()
    for (let i = 0; i < 4; i++) edit(room, `k${i}`, i)
    await pass(6000)
    expect(save(room)).toEqual({ kind: 'offline', unsaved: 4 })
    server.reachable = true
    service.online()
    await pass(200)
    expect(save(room)).toEqual({ kind: 'saved' })
    expect(value(server.room(ROOM).doc, 'k3')).toBe(3)
  })

  it('an edit in flight when the line drops is sent again', async () => {
    const room = connect('anna').open(ROOM)
    await pass(200)
    server.holdAcks = true
    edit(room, 'k', 'sent, not acknowledged')
    await pass(100)
    server.rooms.delete(ROOM) // the server was killed before its commit
    server.cut()
    server.holdAcks = false
    await pass(1000)
    expect(value(server.room(ROOM).doc)).toBe('sent, not acknowledged')
    expect(save(room)).toEqual({ kind: 'saved' })
  })

  it('edits survive closing the browser offline and arrive once', async () => {
    const disk = new IDBFactory()
    const first = connect('anna', disk)
    const room = first.open(ROOM)
    await pass(200)
    server.reachable = false
    server.cut()
    room.doc.transact(() => room.doc.getMap('atom').set('t', new Y.Text('once')), EDIT)
    await pass(200)
    const stopping = first.stop()
    await pass(200)
    await stopping
    services = []

    server.reachable = true
    const second = connect('anna', disk) // nobody opens the room's page
    await pass(2000)
    expect(String(value(server.room(ROOM).doc, 't'))).toBe('once')
    expect(second.unsaved.getState().changes).toBe(0)

    const third = connect('anna', disk)
    const again = third.open(ROOM)
    await pass(500)
    expect(again.unsaved).toBe(0)
    expect(String(value(again.doc, 't'))).toBe('once')
  })

  it('does not send one person’s edits as another', async () => {
    const disk = new IDBFactory()
    const first = connect('anna', disk)
    const room = first.open(ROOM)
    await pass(200)
    server.reachable = false
    server.cut()
    edit(room, 'k', 'anna’s')
    await pass(200)
    const stopping = first.stop()
    await pass(200)
    await stopping
    services = []
    server.reachable = true
    const bo = connect('bo', disk).open(ROOM)
    await pass(1000)
    expect(value(bo.doc)).toBeUndefined()
  })

  it('says that edits are at risk where nothing can be kept', async () => {
    const room = connect('anna', null).open(ROOM)
    await pass(200)
    server.reachable = false
    server.cut()
    edit(room, 'k', 1)
    await pass(200)
    expect(save(room)).toEqual({ kind: 'at-risk', unsaved: 1 })
    expect(room.atRisk).toBe(true)
  })

  it('a read-only room says why and sends nothing', async () => {
    server.room(ROOM).scope = 'readonly'
    const room = connect('anna').open(ROOM)
    await pass(200)
    expect(save(room).kind).toBe('readonly')
    expect(server.room(ROOM).updatesReceived).toBe(0)
  })

  it('a7_a_refused_edit_is_taken_back_and_kept_for_copying', async () => {
    const service = connect('anna')
    const room = service.open(ROOM)
    server.room(ROOM).doc.getMap('atom').set('k', 'theirs')
    await pass(200)
    server.holdAcks = true
    edit(room, 'k', 'mine')
    await pass(100)
    server.room(ROOM).doc = new Y.Doc()
    server.room(ROOM).doc.getMap('atom').set('k', 'theirs')
    for (const socket of server.sockets)
      socket.deliver(JSON.stringify({ type: 'rebase', room: ROOM, reason: 'No right to edit.' }))
    server.holdAcks = false
    await pass(1000)
    expect(value(room.doc)).toBe('theirs')
    expect(room.unsaved).toBe(0)
    expect(service.asides.getState()).toMatchObject([
      { room: ROOM, reason: 'No right to edit.', fields: [{ path: 'k', mine: 'mine', theirs: 'theirs' }] },
    ])
  })

  it('d1_a_replaced_document_is_taken_anew_and_the_edits_are_kept_aside', async () => {
    const service = connect('anna')
    const room = service.open(ROOM)
    await pass(200)
    server.reachable = false
    server.cut()
    edit(room, 'k', 'offline')
    await pass(100)
    server.room(ROOM).doc = new Y.Doc()
    server.room(ROOM).refuse = '4410 the document was replaced'
    server.reachable = true
    service.online()
    await pass(10)
    server.room(ROOM).refuse = null
    await pass(1000)
    expect(value(room.doc)).toBeUndefined()
    expect(service.asides.getState()[0]?.fields).toEqual([{ path: 'k', mine: 'offline', theirs: '' }])
  })

  it('s1_people_are_seen_at_once_after_a_reconnect, one entry a person', async () => {
    const anna = connect('anna')
    const roomA = anna.open(ROOM)
    const tab = connect('anna').open(ROOM)
    const bo = connect('bo').open(ROOM)
    await pass(200)
    roomA.setPresence({ field: 'name' })
    tab.setPresence({ field: null })
    await pass(300)
    const people = () => bo.state.getState().people.filter((p) => !p.self)
    expect(people()).toMatchObject([{ user: 'anna', tabs: 2, field: 'name' }])
    server.cut()
    await pass(500)
    roomA.setPresence({ field: 'content.summary' })
    await pass(200)
    expect(people()).toMatchObject([{ user: 'anna', tabs: 2, field: 'content.summary' }])
  })

  it('leaving a page is seen within a second, and a room kept for its changes shows nobody', async () => {
    const anna = connect('anna')
    const room = anna.open(ROOM)
    const bo = connect('bo').open(ROOM)
    await pass(300)
    room.setPresence({ field: 'name' })
    await pass(300)
    const others = () => bo.state.getState().people.filter((p) => !p.self).length
    expect(others()).toBe(1)
    server.holdAcks = true
    edit(room, 'k', 1)
    await pass(100)
    anna.release(room)
    await pass(800)
    expect(others()).toBe(0)
    expect(room.unsaved).toBe(1)
    server.letAcksGo()
    await pass(2500)
    expect(anna.open(ROOM)).not.toBe(room)
    await pass(500)
    expect(others()).toBe(1)
  })

  it('locks on 4408, unlocks on request, and keeps the words', async () => {
    const service = connect('anna')
    const room = service.open(ROOM)
    await pass(200)
    server.cut(4408)
    await pass(5000)
    expect(service.connection.getState()).toEqual({ status: 'locked' })
    edit(room, 'k', 'kept')
    service.dispatch({ type: 'connect' })
    await pass(500)
    expect(value(server.room(ROOM).doc)).toBe('kept')
  })

  it('a step 1 that nobody asked for is answered, and an acknowledgement that never comes is noticed', async () => {
    const room = connect('anna').open(ROOM)
    await pass(200)
    server.holdAcks = true
    edit(room, 'k', 'v')
    await pass(100)
    for (const socket of server.sockets) {
      socket.heldAcks.length = 0 // the failed commit swallowed it
      socket.deliver(new Uint8Array([6, ...new TextEncoder().encode(ROOM), 0, 0, 1, 0]))
    }
    server.holdAcks = false
    await pass(20_000)
    expect(room.unsaved).toBe(0)
    expect(save(room)).toEqual({ kind: 'saved' })
  })
})
