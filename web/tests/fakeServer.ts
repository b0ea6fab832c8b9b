/**
 * A stand-in for the server side of `/ws/{user_id}` in memory, for tests of the services: rooms with
 * documents, acknowledgements that the test lets go, presence relayed, sockets that can be cut.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { decodeFrame } from '../src/protocol/codec.js'

export type FakeRoom = {
  doc: Y.Doc
  scope: 'read-write' | 'readonly'
  refuse: string | null
  updatesReceived: number
  disk: Y.Doc
}

export class FakeSocket {
  readyState = 0
  binaryType = 'arraybuffer'
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  readonly joined = new Set<string>()
  readonly texts: string[] = []
  readonly heldAcks: string[] = []

  constructor(
    readonly server: FakeServer,
    readonly url: string,
  ) {}

  open(): void {
    this.readyState = 1
    this.onopen?.()
  }

  send(data: Uint8Array | string): void {
    if (this.readyState !== 1) return
    if (typeof data === 'string') this.texts.push(data)
    else this.server.receive(this, data)
  }

  close(code = 1000): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.server.sockets.delete(this)
    this.onclose?.({ code })
  }

  /** From the server to the page. */
  deliver(data: Uint8Array | string): void {
    if (this.readyState === 1) this.onmessage?.({ data: typeof data === 'string' ? data : new Uint8Array(data).buffer })
  }
}

const frame = (room: string, kinds: number[], body?: Uint8Array | string | number): Uint8Array => {
  const e = encoding.createEncoder()
  encoding.writeVarString(e, room)
  for (const kind of kinds) encoding.writeVarUint(e, kind)
  if (typeof body === 'string') encoding.writeVarString(e, body)
  else if (typeof body === 'number') encoding.writeVarUint(e, body)
  else if (body) encoding.writeVarUint8Array(e, body)
  return encoding.toUint8Array(e)
}

export class FakeServer {
  readonly sockets = new Set<FakeSocket>()
  readonly rooms = new Map<string, FakeRoom>()
  reachable = true
  holdAcks = false

  room(name: string): FakeRoom {
    let room = this.rooms.get(name)
    if (!room)
      this.rooms.set(
        name,
        (room = { doc: new Y.Doc(), scope: 'read-write', refuse: null, updatesReceived: 0, disk: new Y.Doc() }),
      )
    return room
  }

  /** For ServiceOptions.socket; opens (or fails) when the test's clock moves. */
  socket = (url: string): WebSocket => {
    const socket = new FakeSocket(this, url)
    setTimeout(() => {
      if (!this.reachable) {
        socket.readyState = 3
        socket.onclose?.({ code: 1006 })
      } else if (socket.readyState === 0) {
        this.sockets.add(socket)
        socket.open()
      }
    }, 1)
    return socket as unknown as WebSocket
  }

  cut(code = 1006): void {
    for (const socket of [...this.sockets]) socket.close(code)
  }

  /** kill -9: what was not committed is gone, and so is every socket. */
  crash(): void {
    this.cut()
    for (const room of this.rooms.values()) {
      room.doc = new Y.Doc()
      Y.applyUpdate(room.doc, Y.encodeStateAsUpdate(room.disk))
    }
  }

  private commit(room: FakeRoom): void {
    Y.applyUpdate(room.disk, Y.encodeStateAsUpdate(room.doc, Y.encodeStateVector(room.disk)))
  }

  letAcksGo(): void {
    for (const room of this.rooms.values()) this.commit(room)
    this.holdAcks = false
    for (const socket of this.sockets) for (const room of socket.heldAcks.splice(0)) socket.deliver(frame(room, [8], 1))
  }

  receive(socket: FakeSocket, bytes: Uint8Array): void {
    const d = decoding.createDecoder(bytes)
    const name = decoding.readVarString(d)
    if (decoding.readVarUint(d) === 2) return this.authenticate(socket, name)
    if (!socket.joined.has(name)) return
    const message = decodeFrame(bytes)
    const room = this.room(name)
    if (message?.kind === 'step1') {
      socket.deliver(frame(name, [0, 0], Y.encodeStateVector(room.doc)))
      socket.deliver(frame(name, [0, 1], Y.encodeStateAsUpdate(room.doc, message.stateVector)))
    } else if (message?.kind === 'step2' || message?.kind === 'update') {
      if (message.kind === 'update') room.updatesReceived++
      Y.applyUpdate(room.doc, message.update, socket)
      this.relay(socket, name, frame(name, [0, 2], message.update))
      if (this.holdAcks) {
        socket.heldAcks.push(name)
      } else {
        this.commit(room)
        socket.deliver(frame(name, [8], 1))
      }
    } else if (message?.kind === 'awareness') {
      this.relay(socket, name, bytes)
    } else if (message?.kind === 'close') {
      socket.joined.delete(name)
    }
  }

  private authenticate(socket: FakeSocket, name: string): void {
    const room = this.room(name)
    if (room.refuse !== null) return socket.deliver(frame(name, [2, 1], room.refuse))
    socket.joined.add(name)
    socket.deliver(frame(name, [2, 2], room.scope))
  }

  private relay(from: FakeSocket, room: string, bytes: Uint8Array): void {
    for (const socket of this.sockets) if (socket !== from && socket.joined.has(room)) socket.deliver(bytes)
  }
}
