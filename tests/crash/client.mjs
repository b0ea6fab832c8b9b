// client.mjs -- a writer that keeps books outside the server: what it sent, what was acknowledged, what it saw of others.
//
// Speaks the frames of HocuspocusProvider by hand, so that each acknowledgement (SyncStatus, A1) is matched with the edit
// it stands for: they come one per update and room, in order, and one for the step 2 of the handshake.
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as sync from 'y-protocols/sync'

const SYNC = 0, AUTH = 2, SYNC_STATUS = 8

export class Client {
  /** doc of each room may be handed in, to come back with what was not acknowledged. */
  constructor(url, user, rooms, docs = new Map()) {
    this.user = user
    this.rooms = new Map(rooms.map((name) => [name, {
      name, doc: docs.get(name) ?? new Y.Doc(), waiting: [], ready: false, shown: new Set(), sent: new Set(), acked: new Set(),
      held: docs.has(name),
    }]))
    this.socket = new WebSocket(`${url}/ws/${user}`)
    this.socket.binaryType = 'nodebuffer'
    this.socket.on('error', () => {})
    this.socket.on('open', () => this.rooms.forEach((room) => this.join(room)))
    this.socket.on('message', (bytes, isBinary) => { if (isBinary) this.receive(bytes) })
    this.socket.on('close', () => { this.closed = true })
  }

  send(room, type, write) {
    const e = encoding.createEncoder()
    encoding.writeVarString(e, room.name)
    encoding.writeVarUint(e, type)
    write(e)
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(encoding.toUint8Array(e))
  }

  join(room) {
    this.send(room, AUTH, (e) => { encoding.writeVarUint(e, 0); encoding.writeVarString(e, '') })
    this.send(room, SYNC, (e) => sync.writeSyncStep1(e, room.doc))
    room.own = room.doc.clientID
    room.doc.on('update', (update, origin) => {
      if (origin !== this) this.send(room, SYNC, (e) => sync.writeUpdate(e, update))
    })
  }

  receive(bytes) {
    const d = decoding.createDecoder(bytes)
    const room = this.rooms.get(decoding.readVarString(d))
    const type = decoding.readVarUint(d)
    if (!room) return
    if (type === SYNC_STATUS) return this.acknowledged(room, decoding.readVarInt(d) === 1)
    if (type !== SYNC) return
    const kind = decoding.readVarUint(d), body = decoding.readVarUint8Array(d)
    if (kind === 0) {
      // Everything not yet acknowledged goes out in the first answer, so its acknowledgement stands for all of it.
      if (!room.ready) room.waiting.push([...room.sent].filter((x) => !room.acked.has(x)))
      this.send(room, SYNC, (e) => sync.writeSyncStep2(e, room.doc, body))
      return
    }
    this.note(room, () => Y.applyUpdate(room.doc, body, this))
    if (kind === 1) room.ready = true
  }

  /** What the server shows of others counts as seen by people. */
  note(room, apply) {
    const list = room.doc.getArray('log')
    const watch = (event) => {
      for (const item of event.changes.added) for (const x of item.content.getContent()) if (!room.sent.has(x)) room.shown.add(x)
    }
    list.observe(watch)
    apply()
    list.unobserve(watch)
  }

  acknowledged(room, saved) {
    const edits = room.waiting.shift() ?? []
    if (saved) edits.forEach((x) => room.acked.add(x))
  }

  write(name, element) {
    const room = this.rooms.get(name), list = room.doc.getArray('log')
    room.sent.add(element)
    room.waiting.push([element])
    list.push([element])
  }

  get ready() { return [...this.rooms.values()].every((r) => r.ready) }
  get saved() { return [...this.rooms.values()].every((r) => r.acked.size === r.sent.size) }
  end() { this.socket.terminate() }
}

/** What the rooms hold, read by somebody who has nothing: room -> array of elements. */
export async function readBack(url, rooms, until) {
  const reader = new Client(url, 'reader', rooms)
  await until('rooms read back', () => reader.ready, 30000)
  const found = new Map([...reader.rooms].map(([name, room]) => [name, room.doc.getArray('log').toArray()]))
  reader.end()
  return found
}
