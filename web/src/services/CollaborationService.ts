/**
 * One socket and its rooms. It drives the state machine of protocol/connection.ts with a real socket
 * and real timers, and hands frames to the rooms they name. Nothing here knows React; live state is in
 * vanilla zustand stores.
 */
import type * as Y from 'yjs'
import type { AnyType } from './ytypes.js'
import { createStore } from 'zustand/vanilla'
import { decodeFrame, PONG_FRAME } from '../protocol/codec.js'
import { HELD_MS, nextConnection, type Connection, type ConnectionEvent } from '../protocol/connection.js'
import {
  parseMessage,
  type ClientMessage,
  type EntityRef,
  type ServerMessage,
  type Status,
  type WorkspacePerson,
} from '../protocol/messages.js'
import { Activity } from './activity.js'
import { OfflineStore, type SetAside } from './OfflineStore.js'
import { Room } from './Room.js'

export type Identity = { user: string; name: string; role: string }

export type Workspace = { ready: boolean; people: readonly WorkspacePerson[] }

export type ServiceOptions = {
  me: Identity
  url: string // of the socket
  rootsOf: (room: string, doc: Y.Doc) => AnyType[]
  store?: OfflineStore
  socket?: (url: string, protocol: string) => WebSocket
  dice?: () => number
}

type Held = { room: Room; holders: number; linger: ReturnType<typeof setTimeout> | null }

const SUBPROTOCOL = 'covalent.v1'
const LINGER_MS = 300 // a page that gives way to another of the same document keeps it open
const UNSAVED_LINGER_MS = 1000 // and a document nobody looks at stays until it is saved
const HEARTBEAT_MS = 30_000
const SILENCE_MS = 25_000 // the server speaks at least every 15 s where somebody is present
const SLEEP_AFTER_HIDDEN_MS = 10 * 60_000
const TICK_MS = 5000

export class CollaborationService {
  readonly connection = createStore<Connection>(() => ({ status: 'closed' }))
  readonly workspace = createStore<Workspace>(() => ({ ready: false, people: [] }))
  readonly asides = createStore<readonly SetAside[]>(() => [])
  readonly unsaved = createStore<{ changes: number; atRisk: boolean }>(() => ({ changes: 0, atRisk: false }))
  readonly me: Identity

  private readonly rooms = new Map<string, Held>()
  private readonly store: OfflineStore
  private readonly entityListeners = new Set<(changed: readonly EntityRef[]) => void>()
  private readonly activity = new Activity(Date.now())
  private socket: WebSocket | null = null
  private timers: ReturnType<typeof setTimeout>[] = []
  private tick: ReturnType<typeof setInterval> | null = null
  private heardAt = 0
  private beatAt = 0
  private status: Status = 'active'

  constructor(private readonly options: ServiceOptions) {
    this.me = options.me
    this.store = options.store ?? new OfflineStore(options.me.user)
  }

  async start(): Promise<void> {
    this.dispatch({ type: 'connect' })
    this.tick = setInterval(() => this.onTick(), TICK_MS)
    this.asides.setState(await this.store.asides(), true)
    // Changes that wait on this device leave even if nobody opens their page again.
    for (const name of await this.store.roomsWithUnsaved()) this.finish(name)
  }

  async stop(): Promise<void> {
    if (this.tick) clearInterval(this.tick)
    const rooms = [...this.rooms.values()]
    this.rooms.clear()
    for (const held of rooms) if (held.linger) clearTimeout(held.linger)
    await Promise.all(rooms.map((held) => held.room.close()))
    this.dispatch({ type: 'disconnect' })
  }

  // ---- rooms ----------------------------------------------------------------------------------

  /** Open a room, or the one already open. Every open needs its release. */
  open(name: string): Room {
    let held = this.rooms.get(name)
    if (!held) {
      held = { room: this.makeRoom(name), holders: 0, linger: null }
      this.rooms.set(name, held)
      void held.room.ready.then(() => {
        if (this.isOpen() && this.rooms.get(name)?.room === held!.room) held!.room.opened()
      })
    }
    if (held.linger) clearTimeout(held.linger)
    held.linger = null
    held.holders++
    held.room.setPresent(true)
    return held.room
  }

  /** Open a room only until its changes are on the server's disk. */
  private finish(name: string): void {
    if (this.rooms.has(name)) return
    const room = this.open(name)
    room.setPresent(false)
    void room.ready.then(() => this.release(room))
  }

  release(room: Room): void {
    const held = this.rooms.get(room.name)
    if (!held || held.room !== room || --held.holders > 0) return
    held.linger = setTimeout(() => this.drop(held), LINGER_MS)
  }

  private drop(held: Held): void {
    held.room.setPresent(false)
    if (held.room.unsaved > 0) {
      held.linger = setTimeout(() => this.drop(held), UNSAVED_LINGER_MS)
      return
    }
    this.rooms.delete(held.room.name)
    void held.room.close()
  }

  private makeRoom(name: string): Room {
    return new Room(name, {
      me: this.me,
      store: this.store,
      roots: (doc) => this.options.rootsOf(name, doc),
      send: (frame) => this.send(frame),
      reconnect: () => this.reconnect(),
      changed: () => this.countUnsaved(),
      setAside: (room, reason, fields) =>
        this.keepAside({ id: crypto.randomUUID(), room, reason, at: Date.now(), fields }),
    })
  }

  private countUnsaved(): void {
    const rooms = [...this.rooms.values()].map((held) => held.room)
    const next = { changes: rooms.reduce((n, r) => n + r.unsaved, 0), atRisk: rooms.some((r) => r.atRisk) }
    const last = this.unsaved.getState()
    if (next.changes !== last.changes || next.atRisk !== last.atRisk) this.unsaved.setState(next)
  }

  private keepAside(edit: SetAside): void {
    this.asides.setState((all) => [...all, edit], true)
    void this.store.setAside(edit)
  }

  dropAside(id: string): void {
    this.asides.setState((all) => all.filter((edit) => edit.id !== id), true)
    void this.store.dropAside(id)
  }

  /** The page is about to go: keep what was typed in the last frame. */
  flush(): void {
    for (const { room } of this.rooms.values()) room.flushQueue()
  }

  onEntities(listener: (changed: readonly EntityRef[]) => void): () => void {
    this.entityListeners.add(listener)
    return () => this.entityListeners.delete(listener)
  }

  // ---- the socket ------------------------------------------------------------------------------

  dispatch(event: ConnectionEvent): void {
    const before = this.connection.getState()
    const after = nextConnection(before, event)
    if (after === before) return
    this.connection.setState(after, true)
    if (after.status !== before.status) this.entered(after)
  }

  private entered(state: Connection): void {
    for (const timer of this.timers) clearTimeout(timer)
    this.timers = []
    switch (state.status) {
      case 'connecting':
        return this.connect()
      case 'open':
        this.timers.push(setTimeout(() => this.dispatch({ type: 'held' }), HELD_MS))
        return
      case 'waiting':
        this.timers.push(setTimeout(() => this.dispatch({ type: 'retry' }), state.delayMs))
        return
      default:
        this.closeSocket()
    }
  }

  private connect(): void {
    const make = this.options.socket ?? ((url: string, protocol: string) => new WebSocket(url, protocol))
    const socket = make(this.options.url, SUBPROTOCOL)
    socket.binaryType = 'arraybuffer'
    this.socket = socket
    socket.onopen = () => this.onOpen(socket)
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => this.onMessage(socket, event.data)
    socket.onclose = (event) => this.onClose(socket, event.code)
  }

  private onOpen(socket: WebSocket): void {
    if (socket !== this.socket) return
    this.heardAt = this.beatAt = Date.now()
    this.dispatch({ type: 'opened' })
    this.sendMessage({ type: 'join', room: 'workspace' })
    for (const { room } of this.rooms.values())
      void room.ready.then(() => socket === this.socket && this.isOpen() && room.opened())
  }

  private onMessage(socket: WebSocket, data: ArrayBuffer | string): void {
    if (socket !== this.socket) return
    this.heardAt = Date.now()
    if (typeof data === 'string') {
      const message = parseMessage(data)
      if (message) this.receive(message)
      return
    }
    const frame = decodeFrame(new Uint8Array(data))
    if (!frame || frame.kind === 'pong') return
    if (frame.kind === 'ping') this.send(PONG_FRAME)
    else this.rooms.get(frame.room)?.room.receive(frame)
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case 'workspace':
        return this.workspace.setState({ ready: true, people: message.people })
      case 'entities':
        for (const listener of this.entityListeners) listener(message.changed)
        return
      case 'rebase':
        return this.rooms.get(message.room)?.room.rebase(message.reason, false)
      case 'readonly':
        return this.rooms.get(message.room)?.room.setReadOnly(message.reason)
      case 'lineage':
        return this.rooms.get(message.room)?.room.setLineage(message.lineage)
      case 'error':
        return
    }
  }

  private onClose(socket: WebSocket, code: number): void {
    if (socket !== this.socket) return
    this.socket = null
    for (const { room } of this.rooms.values()) room.lost()
    this.workspace.setState({ ready: false, people: [] })
    this.dispatch({ type: 'lost', code, dice: (this.options.dice ?? Math.random)() })
  }

  /** Start over on a new socket, at once: nothing is wrong with the line. */
  private reconnect(): void {
    const socket = this.socket
    if (!socket) return
    this.onClose(socket, 1000)
    socket.close(1000)
  }

  private closeSocket(): void {
    const socket = this.socket
    this.socket = null
    for (const { room } of this.rooms.values()) room.lost()
    this.workspace.setState({ ready: false, people: [] })
    socket?.close(1000)
  }

  private isOpen(): boolean {
    return this.connection.getState().status === 'open'
  }

  private send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState === 1) this.socket.send(frame)
  }

  private sendMessage(message: ClientMessage): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(message))
  }

  // ---- the person ------------------------------------------------------------------------------

  /** Key, pointer or touch. */
  input(): void {
    this.activity.input(Date.now())
    this.showStatus()
  }

  visible(isVisible: boolean): void {
    if (isVisible) {
      this.activity.shown(Date.now())
      this.dispatch({ type: 'wake' })
      this.dispatch({ type: 'hurry' })
    } else {
      this.activity.hidden(Date.now())
      this.flush()
    }
    this.showStatus()
  }

  online(): void {
    this.dispatch({ type: 'hurry' })
  }

  /** The machine says it has no network: do not wait for the socket to notice. */
  offline(): void {
    this.reconnect()
  }

  private onTick(): void {
    const now = Date.now()
    this.showStatus()
    if (this.activity.hiddenMs(now) > SLEEP_AFTER_HIDDEN_MS && this.unsaved.getState().changes === 0)
      this.dispatch({ type: 'sleep' })
    if (!this.isOpen()) return
    if (now - this.heardAt > SILENCE_MS) return this.reconnect()
    // Only while somebody is here: the server locks a session whose person has gone.
    if (now - this.beatAt >= HEARTBEAT_MS && this.activity.lastInput > this.beatAt) {
      this.beatAt = now
      this.sendMessage({ type: 'heartbeat', status: this.status })
    }
  }

  private showStatus(): void {
    const status = this.activity.status(Date.now())
    const last = Math.floor(this.activity.lastInput / 15_000) * 15 // seconds, in steps: presence is not a metronome
    if (status !== this.status) this.sendMessage({ type: 'status', status })
    this.status = status
    for (const { room } of this.rooms.values()) room.setPresence({ status, last })
  }
}
