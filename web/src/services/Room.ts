/**
 * One document this page has open: its Y.Doc, its people, and the truth about what is saved.
 *
 * Invariants
 * R1 `unsaved` falls only by an acknowledgement that covers the change. Acknowledgements come in the
 *    order of what was sent: one for the step 2 of a handshake, one for every update after it.
 * R2 A change made before the handshake's step 2 leaves with it; one made after leaves as an update,
 *    at most one frame every FLUSH_MS.
 * R3 When the socket goes, everything in flight counts as kept again; the next handshake covers it.
 * R4 While the room is read-only nothing leaves it.
 */
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { AnyType } from './ytypes.js'
import { createStore } from 'zustand/vanilla'
import {
  encodeAuth,
  encodeAwareness,
  encodeClose,
  encodeStep1,
  encodeStep2,
  encodeUpdate,
  type Frame,
} from '../protocol/codec.js'
import { saveState, saveStateUntil, type SaveFacts, type SaveState } from '../protocol/saving.js'
import type { OfflineStore } from './OfflineStore.js'
import { peopleOf, type Person } from './presence.js'
import { diffValues, flatten } from './flatten.js'
import { createUndo } from './undo.js'

export type RoomRefusal = { kind: 'denied' | 'not-found' | 'replaced' | 'refused'; reason: string }

export type RoomState = {
  loaded: boolean // there is a document to look at
  synced: boolean // and the server agreed on it since the socket opened
  readOnly: string | null
  refusal: RoomRefusal | null
  save: SaveState
  people: readonly Person[]
  generation: number // grows when the document was replaced: hold no part of the old one
}

export type RoomHost = {
  me: { user: string; name: string }
  store: OfflineStore
  roots: (doc: Y.Doc) => AnyType[]
  send: (frame: Uint8Array<ArrayBuffer>) => void
  reconnect: () => void // the socket's acknowledgements can no longer be counted
  changed: () => void // unsaved went to or from 0
  setAside: (room: string, reason: string, fields: { path: string; mine: string; theirs: string }[]) => void
}

type Batch = { changes: number; since: number; rows: Promise<number[]> }

const FLUSH_MS = 30
const PRESENCE_MS = 50
const CACHE_MS = 1000
const DOUBT_MS = 10_000
const GONE_AFTER_MS = 5000

const REMOTE = { name: 'remote' }
const STORED = { name: 'stored' }

/** What is known of a room before it has said anything. */
export const NOTHING_YET: RoomState = {
  loaded: false,
  synced: false,
  readOnly: null,
  refusal: null,
  save: { kind: 'loading' },
  people: [],
  generation: 0,
}

export class Room {
  doc!: Y.Doc
  awareness!: Awareness
  undo!: Y.UndoManager
  readonly state = createStore<RoomState>(() => NOTHING_YET)

  private joined = false // granted on this socket
  private handshake: 'none' | 'step1-sent' | 'covered' = 'none'
  private attached = false // there is a socket
  private disconnectedSince = Date.now()
  private keeps = true
  private queue: Uint8Array[] = []
  private queuedSince = 0
  private kept: Batch[] = []
  private inFlight: Batch[] = []
  private lastFlush = 0
  private caching: Uint8Array[] = []
  private aside: { reason: string; fields: Map<string, string> } | null = null
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>()
  private presence: Record<string, unknown>
  private closed = false
  private present = true
  private lineage = ''
  readonly ready: Promise<void>

  constructor(
    readonly name: string,
    private readonly host: RoomHost,
  ) {
    this.presence = {
      user: { id: host.me.user, name: host.me.name },
      status: 'active',
      last: Math.floor(Date.now() / 1000),
    }
    this.makeDocument()
    this.ready = this.load()
  }

  get unsaved(): number {
    const sum = (batches: readonly Batch[]) => batches.reduce((n, b) => n + b.changes, 0)
    return this.queue.length + sum(this.kept) + sum(this.inFlight)
  }

  /** True when closing the page now would lose words. */
  get atRisk(): boolean {
    return this.queue.length > 0 || (this.unsaved > 0 && !this.keeps)
  }

  // ---- the socket ---------------------------------------------------------------------------

  opened(): void {
    this.attached = true
    this.host.send(encodeAuth(this.name))
  }

  lost(): void {
    if (!this.attached) return
    this.attached = this.joined = false
    this.handshake = 'none'
    this.kept = [...this.kept, ...this.inFlight]
    this.inFlight = []
    this.disconnectedSince = Date.now()
    this.stop('doubt')
    this.flushQueue()
    this.state.setState({ synced: false })
    this.after('others-gone', GONE_AFTER_MS, () => this.forgetOthers())
    this.refresh()
  }

  receive(frame: Frame): void {
    switch (frame.kind) {
      case 'granted':
        return this.granted(frame.scope)
      case 'denied':
        return this.denied(frame.reason)
      case 'step1':
        return this.answer(frame.stateVector)
      case 'step2':
        return this.synced(frame.update)
      case 'update':
        return void this.apply(frame.update)
      case 'awareness':
        return this.heard(frame.states)
      case 'query-awareness':
        return this.sendPresence()
      case 'status':
        return this.acknowledged(frame.saved)
      case 'close':
        return this.host.reconnect()
    }
  }

  private granted(scope: 'read-write' | 'readonly'): void {
    this.joined = true
    this.stop('others-gone')
    if (scope === 'readonly') this.setReadOnly(this.state.getState().readOnly ?? 'You can read this but not change it.')
    else this.state.setState({ readOnly: null })
    this.state.setState({ refusal: null })
    this.handshake = 'step1-sent'
    this.host.send(encodeStep1(this.name, Y.encodeStateVector(this.doc)))
    this.announce()
    this.refresh()
  }

  private denied(reason: string): void {
    const kind = refusalKind(reason)
    this.joined = false
    if (kind === 'replaced' || this.unsaved > 0) return this.rebase(reason, kind === 'replaced')
    this.settleAside()
    this.forgetOthers()
    this.state.setState({ refusal: { kind, reason }, people: [] })
    this.refresh()
  }

  /** The server asks for what it lacks. The first time after our own step 1 the answer is acknowledged. */
  private answer(theirs: Uint8Array): void {
    if (this.state.getState().readOnly !== null) {
      this.handshake = 'covered'
      return
    }
    this.flushQueue()
    const step2 = encodeStep2(this.name, Y.encodeStateAsUpdate(this.doc, theirs))
    if (this.handshake === 'step1-sent') {
      this.handshake = 'covered'
      const rows = Promise.all(this.kept.map((b) => b.rows)).then((all) => all.flat())
      this.inFlight.push({
        changes: this.kept.reduce((n, b) => n + b.changes, 0),
        since: this.kept[0]?.since ?? 0,
        rows,
      })
      this.kept = []
    } else if (this.inFlight.length > 0) {
      // Something we sent was lost on the way to the disk: this answer will not be acknowledged, and
      // perhaps what is in flight neither. If it is not in a while, count anew on a new socket.
      this.after('doubt', DOUBT_MS, () => this.host.reconnect())
    }
    this.host.send(step2)
    this.refresh()
  }

  private synced(update: Uint8Array): void {
    if (!this.apply(update)) return
    this.state.setState({ loaded: true, synced: true })
    this.settleAside()
    this.refresh()
  }

  private apply(update: Uint8Array): boolean {
    try {
      Y.applyUpdate(this.doc, update, REMOTE)
      return true
    } catch {
      this.host.reconnect()
      return false
    }
  }

  private acknowledged(saved: boolean): void {
    if (!saved) return this.host.reconnect()
    const batch = this.inFlight.shift()
    if (!batch) return
    if (this.inFlight.length === 0) this.stop('doubt')
    void batch.rows.then((rows) => this.host.store.settle(rows))
    this.refresh()
  }

  // ---- edits --------------------------------------------------------------------------------

  private changedHere(update: Uint8Array): void {
    if (this.queue.length === 0) this.queuedSince = Date.now()
    this.queue.push(update)
    const waitMs = Math.max(0, this.lastFlush + FLUSH_MS - Date.now())
    if (!this.timers.has('flush')) this.after('flush', waitMs, () => this.flushQueue())
    this.refresh()
  }

  /** Leave with what was typed: to this device always, to the server when the handshake is past. */
  flushQueue(): void {
    this.stop('flush')
    if (this.queue.length === 0) return
    const changes = this.queue.length
    const update = changes === 1 ? this.queue[0]! : Y.mergeUpdates(this.queue)
    this.queue = []
    this.lastFlush = Date.now()
    const rows = this.host.store.keep(this.name, update, changes).then((row) => {
      if ((row === null) === this.keeps) {
        this.keeps = row !== null
        this.refresh()
      }
      return row === null ? [] : [row]
    })
    const batch: Batch = { changes, since: this.queuedSince, rows }
    if (this.handshake === 'covered' && this.state.getState().readOnly === null) {
      this.inFlight.push(batch)
      this.host.send(encodeUpdate(this.name, update))
    } else {
      this.kept.push(batch)
    }
  }

  /** Closing: a caller that stays alive should wait for what was kept. */
  async close(): Promise<void> {
    this.flushQueue()
    this.flushCache()
    if (this.attached && this.joined) {
      this.awareness.setLocalState(null)
      this.sendPresence()
      this.host.send(encodeClose(this.name))
    }
    this.closed = true
    for (const timer of this.timers.values()) clearTimeout(timer)
    this.timers.clear()
    await Promise.all([...this.kept, ...this.inFlight].map((b) => b.rows))
    this.undo.destroy()
    this.awareness.destroy()
    this.doc.destroy()
  }

  setReadOnly(reason: string): void {
    if (reason === '') {
      if (this.state.getState().readOnly === null) return
      this.state.setState({ readOnly: null })
      this.host.reconnect() // the handshake sends what was kept meanwhile
      return
    }
    this.state.setState({ readOnly: reason })
    if (this.unsaved > 0) this.rebase(reason, false)
    else this.refresh()
  }

  /**
   * The server will not take what was changed here. The words are kept aside, the document is taken
   * again from the server, and what differs is offered for copying.
   */
  rebase(reason: string, replaced: boolean): void {
    this.flushQueue()
    const mine = this.unsaved > 0 ? flatten(this.host.roots(this.doc)) : null
    if (mine)
      this.aside = {
        reason: reason || (replaced ? 'The document was replaced.' : 'The server refused the change.'),
        fields: mine,
      }
    void this.host.store.forget(this.name)
    this.queue = []
    this.kept = []
    this.inFlight = []
    this.caching = []
    const wasAttached = this.attached
    this.undo.destroy()
    this.awareness.destroy()
    this.doc.destroy()
    this.makeDocument()
    this.handshake = 'none'
    this.state.setState((s) => ({ loaded: false, synced: false, generation: s.generation + 1 }))
    if (wasAttached) this.host.reconnect()
    this.refresh()
  }

  /**
   * The server names the document's line of descent (D1). What is only remembered of another line is
   * dropped. Unsaved words are offered all the same: the server knows whether they can be merged, and
   * refuses them if not (a room that was never written has a new line after every restart).
   */
  setLineage(lineage: string): void {
    const isOther = this.lineage !== '' && this.lineage !== lineage
    this.lineage = lineage
    if (isOther && this.unsaved === 0) this.rebase('', true)
    void this.host.store.setLineage(this.name, lineage)
  }

  private settleAside(): void {
    if (!this.aside) return
    const { reason, fields } = this.aside
    this.aside = null
    const differing = diffValues(fields, flatten(this.host.roots(this.doc)))
    if (differing.length > 0) this.host.setAside(this.name, reason, differing)
  }

  // ---- people -------------------------------------------------------------------------------

  /** Change what others see of me here: field, cursor, status. */
  setPresence(part: Record<string, unknown>): void {
    const next = { ...this.presence, ...part }
    if (JSON.stringify(next) === JSON.stringify(this.presence)) return
    this.presence = next
    if (!this.timers.has('presence')) this.after('presence', PRESENCE_MS, () => this.announce())
  }

  /** Is somebody looking? A room that is open only until its changes are saved shows nobody. */
  setPresent(present: boolean): void {
    if (present === this.present) return
    this.present = present
    if (!present) this.awareness.setLocalState(null)
    else if (this.joined) this.announce()
  }

  /** On every opening, with a new clock: with an old one nobody would notice us for 15 s. */
  private announce(): void {
    if (this.present) this.awareness.setLocalState(this.presence) // its event sends it
  }

  private sendPresence(): void {
    if (this.joined)
      this.host.send(encodeAwareness(this.name, encodeAwarenessUpdate(this.awareness, [this.doc.clientID])))
  }

  private heard(states: Uint8Array): void {
    try {
      applyAwarenessUpdate(this.awareness, states, REMOTE)
    } catch {
      // Somebody's presence that does not decode is nothing to stop for.
    }
  }

  private forgetOthers(): void {
    const others = [...this.awareness.getStates().keys()].filter((id) => id !== this.doc.clientID)
    removeAwarenessStates(this.awareness, others, REMOTE)
  }

  private showPeople(): void {
    this.state.setState({ people: peopleOf(this.awareness.getStates(), this.host.me.user) })
  }

  // ---- the document -------------------------------------------------------------------------

  private makeDocument(): void {
    const doc = new Y.Doc()
    this.doc = doc
    this.awareness = new Awareness(doc)
    this.awareness.setLocalState(null)
    this.undo = createUndo(this.host.roots(doc))
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === STORED) return
      if (origin === REMOTE) this.remember(update)
      else this.changedHere(update)
    })
    this.awareness.on('update', (_: unknown, origin: unknown) => {
      if (origin !== REMOTE && !this.closed) this.sendPresence()
    })
    this.awareness.on('change', () => {
      if (!this.timers.has('people')) this.after('people', PRESENCE_MS, () => this.showPeople())
    })
  }

  private async load(): Promise<void> {
    const kept = await this.host.store.load(this.name)
    if (this.closed) return
    this.keeps = kept !== null
    this.lineage = kept?.lineage ?? ''
    if (kept && kept.updates.length > 0) {
      const { changes, rows } = kept.unsaved
      if (changes > 0) this.kept.unshift({ changes, since: Date.now(), rows: Promise.resolve(rows) })
      Y.applyUpdate(this.doc, Y.mergeUpdates(kept.updates), STORED)
      this.state.setState({ loaded: true })
    }
    this.refresh()
  }

  private remember(update: Uint8Array): void {
    this.caching.push(update)
    if (!this.timers.has('cache')) this.after('cache', CACHE_MS, () => this.flushCache())
  }

  private flushCache(): void {
    this.stop('cache')
    if (this.caching.length === 0) return
    const update = Y.mergeUpdates(this.caching)
    this.caching = []
    void this.host.store.cache(this.name, update)
  }

  // ---- what the page shows --------------------------------------------------------------------

  private facts(): SaveFacts {
    const oldest = this.inFlight.find((b) => b.changes > 0)?.since ?? this.kept[0]?.since ?? this.queuedSince
    return {
      unsaved: this.unsaved,
      unsavedSince: oldest,
      connected: this.joined,
      disconnectedSince: this.disconnectedSince,
      loaded: this.state.getState().loaded,
      readOnly: this.state.getState().readOnly,
      kept: this.keeps,
    }
  }

  private refresh(): void {
    if (this.closed) return
    const facts = this.facts()
    const now = Date.now()
    const save = saveState(facts, now)
    if (JSON.stringify(save) !== JSON.stringify(this.state.getState().save)) this.state.setState({ save })
    const until = saveStateUntil(facts, now)
    this.stop('save')
    if (until > 0) this.after('save', Math.max(1, until - now), () => this.refresh())
    this.host.changed()
  }

  private after(name: string, ms: number, act: () => void): void {
    if (this.closed) return
    this.stop(name)
    this.timers.set(
      name,
      setTimeout(() => {
        this.timers.delete(name)
        act()
      }, ms),
    )
  }

  private stop(name: string): void {
    clearTimeout(this.timers.get(name))
    this.timers.delete(name)
  }
}

const refusalKind = (reason: string): RoomRefusal['kind'] => {
  if (/4410|replaced|lineage/i.test(reason)) return 'replaced'
  if (/4404|not.?found|unknown|deleted/i.test(reason)) return 'not-found'
  if (/4403|4401|denied|permission|token/i.test(reason)) return 'denied'
  return 'refused'
}
