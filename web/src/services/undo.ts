/**
 * Undo and redo of one's own edits in one room, and of nobody else's.
 *
 * An item of a list is never removed from its document, because words that somebody else typed into
 * it would go with it: it carries a mark `deleted` (D3). So undo spares item containers, their order
 * and their texts. Adding an item is two transactions: the item with its mark, which undo does not
 * see, then the mark taken away, which it does; undoing the addition puts the mark back.
 */
import * as Y from 'yjs'
import type { AnyType } from './ytypes.js'

/** Origin of an edit that undo knows. CodeMirror's sync plugin has an origin of its own. */
export const EDIT = { name: 'edit' }
/** Origin of an edit of ours that undo does not know. */
export const SILENT = { name: 'silent' }

const ITEM_TEXTS = new Set(['text', 'condition', 'action'])

const spared = (item: Y.Item): boolean => {
  if (item.parentSub === 'order') return true
  if (!(item.content instanceof Y.ContentType)) return false
  if (item.parentSub !== null && ITEM_TEXTS.has(item.parentSub)) return true
  const { type } = item.content
  return type instanceof Y.Map && type._map.has('order')
}

export const createUndo = (roots: AnyType[]): Y.UndoManager =>
  new Y.UndoManager(roots, {
    captureTimeout: 500,
    trackedOrigins: new Set<unknown>([EDIT]),
    deleteFilter: (item) => !spared(item),
  })
