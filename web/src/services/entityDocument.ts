/**
 * The shape of the documents (docs/documents.md) as functions on them: roots, items, key lists,
 * edges. Nothing here makes a container under a shared key; only items and edges are made, under keys
 * nobody else can have.
 */
import { generateKeyBetween, generateNKeysBetween } from 'fractional-indexing'
import * as Y from 'yjs'
import { EDIT, SILENT } from './undo.js'
import type { AnyType } from './ytypes.js'

export type Kind = 'atom' | 'module' | 'phase' | 'journey' | 'workflow'
export type YMap = Y.Map<unknown>

export const roomOf = (kind: Kind, id: string): string => `${kind}:${id}`

export const kindOf = (room: string): Kind | null => {
  const kind = room.slice(0, room.indexOf(':'))
  return kind === 'atom' || kind === 'module' || kind === 'phase' || kind === 'journey' || kind === 'workflow'
    ? kind
    : null
}

export const rootsOf = (room: string, doc: Y.Doc): AnyType[] => {
  const kind = kindOf(room)
  if (kind === 'workflow') return [doc.getMap('workflow'), doc.getMap('nodes'), doc.getMap('edges')]
  return [doc.getMap(kind ?? 'doc')]
}

export const setPlain = (map: YMap, key: string, value: unknown): void => {
  if (map.get(key) === value) return
  map.doc!.transact(() => map.set(key, value), EDIT)
}

/** Set a text to a value by the smallest single replacement, so that others' carets stay. */
export const setText = (text: Y.Text, value: string): void => {
  const old = text.toString()
  let start = 0
  while (start < old.length && start < value.length && old[start] === value[start]) start++
  if (start > 0 && isHighSurrogate(old.charCodeAt(start - 1))) start--
  let end = 0
  while (
    end < old.length - start &&
    end < value.length - start &&
    old[old.length - 1 - end] === value[value.length - 1 - end]
  )
    end++
  if (end > 0 && isHighSurrogate(old.charCodeAt(old.length - end - 1))) end--
  text.doc!.transact(() => {
    if (old.length - start - end > 0) text.delete(start, old.length - start - end)
    if (value.length - start - end > 0) text.insert(start, value.slice(start, value.length - end))
  }, EDIT)
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00

// ---- item lists -------------------------------------------------------------------------------

export type ItemText = 'text' | 'condition' | 'action'
export type Deleted = { by: string; at: number; seen: string }

export type Item = {
  id: string
  order: string
  map: YMap
  deleted: Deleted | null
  conflict: boolean // deleted, and what it says now is not what the deleter saw
}

export const newId = (): string => {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_'
  return Array.from(crypto.getRandomValues(new Uint8Array(14)), (byte) => alphabet[byte & 63]).join('')
}

const order = (map: YMap): string => {
  const value = map.get('order')
  return typeof value === 'string' ? value : ''
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What an item says, as a deleter would have seen it. */
export const itemText = (map: YMap): string =>
  ['text', 'condition', 'action']
    .map((key) => map.get(key))
    .filter((t) => t instanceof Y.Text)
    .map(String)
    .join('\n')

const readDeleted = (map: YMap): Deleted | null => {
  const value = map.get('deleted') as Partial<Deleted> | undefined
  if (value === null || typeof value !== 'object') return null
  return { by: String(value.by ?? ''), at: Number(value.at) || 0, seen: String(value.seen ?? '') }
}

/** Everything in the list in its order, deleted items among it. */
export const itemsOf = (list: YMap): Item[] => {
  const items: Item[] = []
  for (const [id, map] of list) {
    if (!(map instanceof Y.Map)) continue
    const deleted = readDeleted(map)
    items.push({ id, order: order(map), map, deleted, conflict: deleted !== null && itemText(map) !== deleted.seen })
  }
  return items.sort((a, b) => compare(a.order, b.order) || compare(a.id, b.id))
}

export const shownItems = (list: YMap): Item[] => itemsOf(list).filter((item) => item.deleted === null)

/**
 * A key between item `index - 1` and item `index` of the list. Where their keys are equal (two people
 * inserted at the same place) or not keys at all, the ones from there on get new keys first.
 */
const orderAt = (items: readonly { order: string; map: YMap }[], index: number): string => {
  const before = items[index - 1]?.order ?? null
  const after = items[index]?.order ?? null
  try {
    if (before === null || after === null || before < after) return generateKeyBetween(before, after)
  } catch {
    // not a key: fall through and make them keys
  }
  const valid = index > 0 && isKey(before!) ? before : null
  const [key, ...rest] = generateNKeysBetween(valid, null, items.length - index + 1)
  items.slice(index).forEach((item, i) => item.map.set('order', rest[i]!))
  return key!
}

const isKey = (key: string): boolean => {
  try {
    generateKeyBetween(key, null)
    return true
  } catch {
    return false
  }
}

/**
 * Add an item so that it is the index-th of the shown ones. Two transactions, so that undo takes the
 * item away by its mark and never removes the container (services/undo.ts).
 */
export const addItem = (list: YMap, index: number, texts: Partial<Record<ItemText, string>>, by: string): string => {
  const id = newId()
  const item = new Y.Map<unknown>()
  const seen = Object.values(texts).join('\n')
  list.doc!.transact(() => {
    const all = itemsOf(list)
    const shown = all.filter((i) => i.deleted === null)
    const next = shown[index]
    item.set('order', orderAt(all, next ? all.indexOf(next) : all.length))
    for (const [key, value] of Object.entries(texts)) item.set(key, new Y.Text(value))
    item.set('deleted', { by, at: Date.now(), seen } satisfies Deleted)
    list.set(id, item)
  }, SILENT)
  list.doc!.transact(() => item.delete('deleted'), EDIT)
  return id
}

/** Deleting is a value with what the deleter saw: words that arrive later are never silently lost. */
export const deleteItem = (item: YMap, by: string): void => {
  item.doc!.transact(() => item.set('deleted', { by, at: Date.now(), seen: itemText(item) } satisfies Deleted), EDIT)
}

export const restoreItem = (item: YMap): void => {
  item.doc!.transact(() => item.delete('deleted'), EDIT)
}

/** Move an item to be the index-th of the shown ones. */
export const moveItem = (list: YMap, id: string, index: number): void => {
  list.doc!.transact(() => {
    const all = itemsOf(list).filter((item) => item.id !== id)
    const shown = all.filter((item) => item.deleted === null)
    const next = shown[index]
    const moved = list.get(id)
    if (moved instanceof Y.Map) moved.set('order', orderAt(all, next ? all.indexOf(next) : all.length))
  }, EDIT)
}

// ---- key lists --------------------------------------------------------------------------------

export type KeyEntry = { key: string; id: string; order: string }

/** `atoms`, `modules`, `phases`, `roles`, `tags`: the key is the thing itself, `id#2` its second mention. */
export const keysOf = (list: YMap): KeyEntry[] =>
  [...list]
    .map(([key, value]) => ({
      key,
      id: key.replace(/#\d+$/, ''),
      order: String((value as { order?: unknown } | null)?.order ?? ''),
    }))
    .sort((a, b) => compare(a.order, b.order) || compare(a.key, b.key))

export const addKey = (list: YMap, id: string): void => {
  const last = keysOf(list).at(-1)?.order
  list.doc!.transact(
    () => list.set(id, { order: generateKeyBetween(last !== undefined && isKey(last) ? last : null, null) }),
    EDIT,
  )
}

export const removeKey = (list: YMap, key: string): void => {
  list.doc!.transact(() => list.delete(key), EDIT)
}

export const moveKey = (list: YMap, key: string, index: number): void => {
  list.doc!.transact(() => {
    const others = keysOf(list).filter((entry) => entry.key !== key)
    const before = others[index - 1]?.order ?? null
    const after = others[index]?.order ?? null
    const fits =
      (before === null || isKey(before)) &&
      (after === null || isKey(after)) &&
      (before === null || after === null || before < after)
    if (fits) return void list.set(key, { order: generateKeyBetween(before, after) })
    others.splice(index, 0, { key, id: key, order: '' })
    const keys = generateNKeysBetween(null, null, others.length)
    others.forEach((entry, i) => list.set(entry.key, { order: keys[i] }))
  }, EDIT)
}

// ---- edges of an atom -------------------------------------------------------------------------

export type Edge = { key: string; type: string; target: string; label: string; description: string }

export const edgesOf = (edges: YMap): Edge[] =>
  [...edges]
    .map(([key, value]) => {
      const bar = key.indexOf('|')
      const read = (name: string) => (value instanceof Y.Map ? String(value.get(name) ?? '') : '')
      return {
        key,
        type: key.slice(0, bar),
        target: key.slice(bar + 1).replace(/#\d+$/, ''),
        label: read('label'),
        description: read('description'),
      }
    })
    .filter((edge) => edge.type !== '')

export const addEdge = (edges: YMap, type: string, target: string): boolean => {
  const key = `${type}|${target}`
  if (edges.has(key)) return false
  edges.doc!.transact(() => edges.set(key, new Y.Map()), EDIT)
  return true
}

export const removeEdge = (edges: YMap, key: string): void => {
  edges.doc!.transact(() => edges.delete(key), EDIT)
}
