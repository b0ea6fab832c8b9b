/**
 * What this device keeps: one IndexedDB database for all rooms of all people who used this browser.
 *
 * Invariants
 * O1 A row marked `unsaved` holds changes that no acknowledgement has covered. It is written before
 *    the changes count as kept, and loses its mark only after the acknowledgement.
 * O2 Rows of one room applied in any order give the same document (they are Yjs updates), so tabs may
 *    write side by side, and joining rows never needs another tab's consent.
 * O3 When the browser refuses storage every call answers null; the page then says that changes are at risk.
 */
import * as Y from 'yjs'

export type KeptRoom = {
  updates: Uint8Array[]
  unsaved: { changes: number; rows: number[] } // what of them is not on the server's disk
  lineage: string
}

/** A refused edit, kept so that its words can be copied. */
export type SetAside = {
  id: string
  room: string
  reason: string
  at: number // Unix ms
  fields: { path: string; mine: string; theirs: string }[]
}

type Row = { id?: number; key: string; unsaved: 0 | 1; changes: number; update: Uint8Array }
type RoomRow = { key: string; user: string; room: string; lineage: string; usedAt: number }
type AsideRow = SetAside & { user: string }

const NAME = 'covalent'
const VERSION = 1
const ROWS_JOINED_AT = 64
const UNUSED_ROOM_MS = 30 * 24 * 3600 * 1000

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

const finished = (tx: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve()
    tx.onerror = tx.onabort = () => reject(tx.error)
  })

const openDatabase = (factory: IDBFactory): Promise<IDBDatabase> =>
  new Promise((resolve, reject) => {
    const request = factory.open(NAME, VERSION)
    request.onupgradeneeded = () => {
      const updates = request.result.createObjectStore('updates', { keyPath: 'id', autoIncrement: true })
      updates.createIndex('key', 'key')
      request.result.createObjectStore('rooms', { keyPath: 'key' })
      request.result.createObjectStore('aside', { keyPath: 'id' })
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error('another tab holds an older database'))
  })

export class OfflineStore {
  private readonly database: Promise<IDBDatabase | null>

  constructor(
    private readonly user: string,
    factory: IDBFactory | undefined = globalThis.indexedDB,
  ) {
    this.database = factory ? openDatabase(factory).catch(() => null) : Promise.resolve(null)
    void this.forgetUnused()
  }

  /** Everything kept of a room; null when nothing can be kept on this device. */
  async load(room: string): Promise<KeptRoom | null> {
    return this.run(['updates', 'rooms'], 'readwrite', async (tx) => {
      const key = this.key(room)
      const rows = (await done(tx.objectStore('updates').index('key').getAll(key))) as Row[]
      const known = (await done(tx.objectStore('rooms').get(key))) as RoomRow | undefined
      const lineage = known?.lineage ?? ''
      tx.objectStore('rooms').put({ key, user: this.user, room, lineage, usedAt: Date.now() } satisfies RoomRow)
      const unsaved = rows.filter((row) => row.unsaved === 1)
      return {
        updates: rows.map((row) => row.update),
        unsaved: { changes: unsaved.reduce((n, row) => n + row.changes, 0), rows: unsaved.map((row) => row.id!) },
        lineage,
      }
    })
  }

  /** Keep changes that the server has not acknowledged; the row's number is for settle. */
  keep(room: string, update: Uint8Array, changes: number): Promise<number | null> {
    return this.run(['updates'], 'readwrite', async (tx) => {
      const row: Row = { key: this.key(room), unsaved: 1, changes, update }
      return (await done(tx.objectStore('updates').add(row))) as number
    })
  }

  /** The server has these on its disk. */
  async settle(rows: readonly number[]): Promise<void> {
    if (rows.length === 0) return
    await this.run(['updates'], 'readwrite', async (tx) => {
      const store = tx.objectStore('updates')
      for (const id of rows) {
        const row = (await done(store.get(id))) as Row | undefined
        if (row) store.put({ ...row, unsaved: 0, changes: 0 } satisfies Row)
      }
    })
  }

  /** Remember what others wrote, so that the page opens at once next time. */
  async cache(room: string, update: Uint8Array): Promise<void> {
    await this.run(['updates'], 'readwrite', async (tx) => {
      const store = tx.objectStore('updates')
      store.add({ key: this.key(room), unsaved: 0, changes: 0, update } satisfies Row)
      const rows = ((await done(store.index('key').getAll(this.key(room)))) as Row[]).filter((row) => row.unsaved === 0)
      if (rows.length < ROWS_JOINED_AT) return
      for (const row of rows) store.delete(row.id!)
      store.add({
        key: this.key(room),
        unsaved: 0,
        changes: 0,
        update: Y.mergeUpdates(rows.map((r) => r.update)),
      } satisfies Row)
    })
  }

  async setLineage(room: string, lineage: string): Promise<void> {
    await this.run(['rooms'], 'readwrite', async (tx) => {
      tx.objectStore('rooms').put({
        key: this.key(room),
        user: this.user,
        room,
        lineage,
        usedAt: Date.now(),
      } satisfies RoomRow)
    })
  }

  /** The document was replaced or the edit refused: nothing of the room's kept state is good any more. */
  async forget(room: string): Promise<void> {
    await this.run(['updates', 'rooms'], 'readwrite', async (tx) => {
      const store = tx.objectStore('updates')
      for (const id of await done(store.index('key').getAllKeys(this.key(room)))) store.delete(id)
      tx.objectStore('rooms').delete(this.key(room))
    })
  }

  /** Rooms of this person with changes that have not reached the server. */
  async roomsWithUnsaved(): Promise<string[]> {
    const rooms = await this.run(['updates', 'rooms'], 'readonly', async (tx) => {
      const rows = (await done(tx.objectStore('updates').getAll())) as Row[]
      const unsaved = new Set(rows.filter((row) => row.unsaved === 1).map((row) => row.key))
      const known = (await done(tx.objectStore('rooms').getAll())) as RoomRow[]
      return known.filter((row) => row.user === this.user && unsaved.has(row.key)).map((row) => row.room)
    })
    return rooms ?? []
  }

  async setAside(edit: SetAside): Promise<void> {
    await this.run(['aside'], 'readwrite', async (tx) => {
      tx.objectStore('aside').put({ ...edit, user: this.user } satisfies AsideRow)
    })
  }

  async asides(): Promise<SetAside[]> {
    const rows = await this.run(
      ['aside'],
      'readonly',
      async (tx) => (await done(tx.objectStore('aside').getAll())) as AsideRow[],
    )
    return (rows ?? []).filter((row) => row.user === this.user)
  }

  async dropAside(id: string): Promise<void> {
    await this.run(['aside'], 'readwrite', async (tx) => {
      tx.objectStore('aside').delete(id)
    })
  }

  private key(room: string): string {
    return `${this.user}\n${room}`
  }

  private async run<T>(
    stores: string[],
    mode: IDBTransactionMode,
    work: (tx: IDBTransaction) => Promise<T>,
  ): Promise<T | null> {
    const database = await this.database
    if (!database) return null
    try {
      const tx = database.transaction(stores, mode, { durability: 'strict' })
      const end = finished(tx)
      const [result] = await Promise.all([work(tx), end])
      return result
    } catch {
      return null // quota, private mode, a database closed under us: O3
    }
  }

  private async forgetUnused(): Promise<void> {
    await this.run(['updates', 'rooms'], 'readwrite', async (tx) => {
      const rooms = (await done(tx.objectStore('rooms').getAll())) as RoomRow[]
      const old = rooms.filter((row) => Date.now() - row.usedAt > UNUSED_ROOM_MS)
      for (const room of old) {
        const rows = (await done(tx.objectStore('updates').index('key').getAll(room.key))) as Row[]
        if (rows.some((row) => row.unsaved === 1)) continue
        for (const row of rows) tx.objectStore('updates').delete(row.id!)
        tx.objectStore('rooms').delete(room.key)
      }
    })
  }
}
