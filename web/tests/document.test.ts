import { generateKeyBetween } from 'fractional-indexing'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  addEdge,
  addItem,
  addKey,
  deleteItem,
  edgesOf,
  itemsOf,
  keysOf,
  moveItem,
  moveKey,
  restoreItem,
  setText,
  shownItems,
  type YMap,
} from '../src/services/entityDocument.js'
import { createUndo, EDIT } from '../src/services/undo.js'

const makeDoc = (...steps: string[]) => {
  const doc = new Y.Doc()
  const atom = doc.getMap('atom') as YMap
  const content = new Y.Map<unknown>()
  const list = new Y.Map<unknown>()
  atom.set('content', content)
  content.set('steps', list)
  atom.set('edges', new Y.Map())
  let last: string | null = null
  steps.forEach((text, i) => {
    const item = new Y.Map<unknown>()
    item.set('order', (last = generateKeyBetween(last, null)))
    item.set('text', new Y.Text(text))
    list.set(`item-${i}`, item)
  })
  return { doc, atom, list, undo: createUndo([atom]) }
}

const texts = (list: YMap) => shownItems(list).map((item) => String(item.map.get('text')))
const textOf = (list: YMap, id: string) => (list.get(id) as YMap).get('text') as Y.Text
const sync = (a: Y.Doc, b: Y.Doc) => {
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a, Y.encodeStateVector(b)))
  Y.applyUpdate(a, Y.encodeStateAsUpdate(b, Y.encodeStateVector(a)))
}

describe('items', () => {
  it('adds anywhere, moves, deletes, restores', () => {
    const { list } = makeDoc('a', 'b', 'c')
    const id = addItem(list, 1, { text: 'x' }, 'anna')
    expect(texts(list)).toEqual(['a', 'x', 'b', 'c'])
    moveItem(list, id, 3)
    expect(texts(list)).toEqual(['a', 'b', 'c', 'x'])
    moveItem(list, id, 0)
    expect(texts(list)).toEqual(['x', 'a', 'b', 'c'])
    deleteItem(list.get(id) as YMap, 'anna')
    expect(texts(list)).toEqual(['a', 'b', 'c'])
    addItem(list, 3, { text: 'end' }, 'anna')
    restoreItem(list.get(id) as YMap)
    expect(texts(list)).toEqual(['x', 'a', 'b', 'c', 'end'])
  })

  it('inserts between equal keys, and where keys are not keys', () => {
    const { list } = makeDoc('a', 'b', 'c')
    for (const item of itemsOf(list)) item.map.set('order', 'a0')
    addItem(list, 1, { text: 'x' }, 'anna')
    expect(texts(list)).toEqual(['a', 'x', 'b', 'c'])
    for (const item of itemsOf(list)) item.map.set('order', '')
    const before = texts(list)
    addItem(list, 2, { text: 'y' }, 'anna')
    expect(texts(list)).toEqual([...before.slice(0, 2), 'y', ...before.slice(2)])
  })

  it('a move keeps what somebody types into the item meanwhile', () => {
    const a = makeDoc('a', 'b', 'c')
    const other = new Y.Doc()
    sync(a.doc, other)
    const theirs = (other.getMap('atom').get('content') as YMap).get('steps') as YMap
    moveItem(a.list, 'item-0', 2)
    textOf(theirs, 'item-0').insert(1, '!')
    sync(a.doc, other)
    expect(texts(a.list)).toEqual(['b', 'c', 'a!'])
    expect(texts(theirs)).toEqual(['b', 'c', 'a!'])
  })

  it('d3_words_typed_into_a_deleted_item_make_a_conflict_in_either_order', () => {
    for (const deleteFirst of [true, false]) {
      const a = makeDoc('a')
      const other = new Y.Doc()
      sync(a.doc, other)
      const theirs = (other.getMap('atom').get('content') as YMap).get('steps') as YMap
      if (deleteFirst) deleteItem(a.list.get('item-0') as YMap, 'anna')
      textOf(theirs, 'item-0').insert(1, ' and more')
      if (!deleteFirst) deleteItem(a.list.get('item-0') as YMap, 'anna')
      sync(a.doc, other)
      expect(itemsOf(a.list)[0]).toMatchObject({ conflict: true, deleted: { by: 'anna', seen: 'a' } })
      restoreItem(theirs.get('item-0') as YMap)
      sync(a.doc, other)
      expect(texts(a.list)).toEqual(['a and more'])
    }
  })
})

describe('undo', () => {
  it('d3_undoing_an_insert_sets_deleted_and_redo_brings_it_back', () => {
    const { list, undo } = makeDoc('a')
    const id = addItem(list, 1, { text: '' }, 'anna')
    undo.undo()
    expect(texts(list)).toEqual(['a'])
    expect(list.has(id)).toBe(true)
    expect(itemsOf(list).find((i) => i.id === id)).toMatchObject({ deleted: { by: 'anna', seen: '' }, conflict: false })
    undo.redo()
    expect(texts(list)).toEqual(['a', ''])
  })

  it('d3_somebody_else_s_words_in_an_undone_item_are_kept_and_shown_as_a_conflict', () => {
    const { doc, list, undo } = makeDoc('a')
    const id = addItem(list, 1, { text: '' }, 'anna')
    doc.transact(() => textOf(list, id).insert(0, 'bo was here'), 'remote')
    undo.undo()
    expect(texts(list)).toEqual(['a'])
    expect(itemsOf(list).find((i) => i.id === id)?.conflict).toBe(true)
    expect(String(textOf(list, id))).toBe('bo was here')
  })

  it('takes back only my own words inside somebody else’s sentence', () => {
    const { doc, list, undo } = makeDoc('The file.')
    const text = textOf(list, 'item-0')
    doc.transact(() => text.insert(4, 'complete '), 'remote')
    doc.transact(() => text.insert(0, 'Mine: '), EDIT)
    doc.transact(() => text.insert(text.length, ' Theirs.'), 'remote')
    undo.undo()
    expect(texts(list)).toEqual(['The complete file. Theirs.'])
    undo.redo()
    expect(texts(list)).toEqual(['Mine: The complete file. Theirs.'])
  })

  it('undoes a move, a delete and a scalar', () => {
    const { doc, atom, list, undo } = makeDoc('a', 'b', 'c')
    moveItem(list, 'item-0', 2)
    undo.stopCapturing()
    deleteItem(list.get('item-1') as YMap, 'anna')
    undo.stopCapturing()
    doc.transact(() => atom.set('status', 'DRAFT'), EDIT)
    expect(texts(list)).toEqual(['c', 'a'])
    undo.undo()
    expect(atom.has('status')).toBe(false)
    undo.undo()
    expect(texts(list)).toEqual(['b', 'c', 'a'])
    undo.undo()
    expect(texts(list)).toEqual(['a', 'b', 'c'])
    undo.redo()
    expect(texts(list)).toEqual(['b', 'c', 'a'])
  })

  it('undoes an added edge', () => {
    const { atom, undo } = makeDoc()
    const edges = atom.get('edges') as YMap
    expect(addEdge(edges, 'ENABLES', 'atom-b')).toBe(true)
    expect(addEdge(edges, 'ENABLES', 'atom-b')).toBe(false)
    expect(edgesOf(edges)).toMatchObject([{ type: 'ENABLES', target: 'atom-b' }])
    undo.undo()
    expect(edgesOf(edges)).toEqual([])
  })
})

describe('texts and keys', () => {
  it('sets a text by the smallest replacement', () => {
    const { list } = makeDoc('one two three')
    const text = textOf(list, 'item-0')
    const deltas: unknown[] = []
    text.observe((e) => deltas.push(e.delta))
    setText(text, 'one 2 three')
    expect(String(text)).toBe('one 2 three')
    expect(deltas).toEqual([[{ retain: 4 }, { delete: 3 }, { insert: '2' }]])
    setText(text, 'one 😀 three')
    setText(text, 'one 😁 three') // they share their first half
    expect(String(text)).toBe('one 😁 three')
  })

  it('orders, moves and adds keys', () => {
    const doc = new Y.Doc()
    const list = doc.getMap('atoms') as YMap
    for (const id of ['x', 'y', 'z']) addKey(list, id)
    moveKey(list, 'z', 0)
    expect(keysOf(list).map((k) => k.id)).toEqual(['z', 'x', 'y'])
    for (const id of ['x', 'y', 'z']) list.set(id, { order: 'a0' })
    moveKey(list, 'x', 2)
    expect(keysOf(list).map((k) => k.id)).toEqual(['y', 'z', 'x'])
  })
})
