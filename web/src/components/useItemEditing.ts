/**
 * What the keys and buttons of a list do to its document, and where the caret goes afterwards. The
 * rows themselves are drawn by ItemList.
 */
import { useEffect, useRef, useState } from 'react'
import * as Y from 'yjs'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { useWebSocket } from '../hooks/useWebSocket.js'
import {
  addItem,
  deleteItem,
  itemText,
  moveItem,
  setText,
  type Item,
  type ItemText,
  type YMap,
} from '../services/entityDocument.js'
import { announce } from '../services/uiState.js'
import { EDIT } from '../services/undo.js'
import type { TextFieldHandle, TextFieldKeys } from './collab/TextField.js'

type Focus = { id: string; at: 'start' | 'end' | number }

export const textOf = (map: YMap, key: string): Y.Text | null => {
  const value = map.get(key)
  return value instanceof Y.Text ? value : null
}

/** The editors of a list by item, and the one that is to have the caret once it is there. */
export const useItemFocus = () => {
  const rows = useRef(new Map<string, TextFieldHandle>())
  const [wanted, setWanted] = useState<Focus | null>(null)
  useEffect(() => {
    if (!wanted) return
    const frame = requestAnimationFrame(() => {
      rows.current.get(wanted.id)?.focus(wanted.at)
      setWanted(null)
    })
    return () => cancelAnimationFrame(frame)
  }, [wanted])
  const register = (id: string) => (handle: TextFieldHandle | null) => {
    if (handle) rows.current.set(id, handle)
    else rows.current.delete(id)
  }
  const focusNow = (item: Item | undefined, at: 'start' | 'end'): boolean => {
    if (item) rows.current.get(item.id)?.focus(at)
    return item !== undefined
  }
  return { rows, focus: setWanted, focusNow, register }
}

export const useItemEditing = (
  list: YMap,
  shown: readonly Item[],
  parts: readonly ItemText[],
  editors: ReturnType<typeof useItemFocus>,
) => {
  const { room } = useRoomContext()
  const { me } = useWebSocket()
  const single = parts.length === 1 ? parts[0]! : null
  const texts = (first: string) => Object.fromEntries(parts.map((key, i) => [key, i === 0 ? first : '']))

  const add = (index: number, text = ''): void => {
    room.undo.stopCapturing()
    editors.focus({ id: addItem(list, index, texts(text), me.user), at: 'start' })
  }

  const remove = (index: number): void => {
    deleteItem(shown[index]!.map, me.user)
    const before = shown[index - 1]
    const neighbour = before ?? shown[index + 1]
    if (neighbour) editors.focus({ id: neighbour.id, at: before ? 'end' : 'start' })
  }

  const move = (index: number, to: number): boolean => {
    const item = shown[index]
    if (!item || to < 0 || to >= shown.length) return true
    moveItem(list, item.id, to)
    announce(`Moved to place ${to + 1} of ${shown.length}.`)
    return true
  }

  /** Enter: room below, or above when the caret is at the start; in the middle the item is split. */
  const enter = (index: number, key: ItemText, before: string, after: string): boolean => {
    const item = shown[index]!
    if (before === '' && after !== '') {
      add(index)
      editors.focus({ id: item.id, at: 'start' })
      return true
    }
    const text = textOf(item.map, key)
    if (text && after !== '') setText(text, before)
    add(index + 1, after)
    return true
  }

  /** Backspace at the start: an empty item goes, another is joined to the one above. */
  const join = (index: number, key: ItemText): boolean => {
    const above = shown[index - 1]
    const item = shown[index]!
    const text = itemText(item.map)
    if (text === '' && shown.length > 1) {
      remove(index)
      return true
    }
    const target = above ? textOf(above.map, key) : null
    if (!above || !target) return false
    const at = target.length
    room.doc.transact(() => {
      target.insert(at, text)
      deleteItem(item.map, me.user)
    }, EDIT)
    editors.focus({ id: above.id, at })
    return true
  }

  const pasteLines = (
    index: number,
    key: ItemText,
    lines: readonly string[],
    before: string,
    after: string,
  ): boolean => {
    const text = textOf(shown[index]!.map, key)
    if (!text) return false
    room.undo.stopCapturing()
    setText(text, before + lines[0]!)
    const rest = lines.slice(1)
    const ids = rest.map((line, i) =>
      addItem(list, index + 1 + i, texts(i === rest.length - 1 ? line + after : line), me.user),
    )
    editors.focus({ id: ids.at(-1)!, at: rest.at(-1)!.length })
    return true
  }

  const keysFor = (index: number): TextFieldKeys => ({
    moveUp: () => move(index, index - 1),
    moveDown: () => move(index, index + 1),
    leaveUp: () => editors.focusNow(shown[index - 1], 'end'),
    leaveDown: () => editors.focusNow(shown[index + 1], 'start'),
    ...(single
      ? {
          enter: (before: string, after: string) => enter(index, single, before, after),
          backspaceAtStart: () => join(index, single),
          pasteLines: (lines: readonly string[], before: string, after: string) =>
            pasteLines(index, single, lines, before, after),
        }
      : {}),
  })

  return { add, remove, move, keysFor }
}

/** Items that somebody else deleted under my hands: their cards stay until I have decided. */
export const useInterrupted = (all: readonly Item[], focused: { current: string | null }, noun: string) => {
  const { me } = useWebSocket()
  const [interrupted, setInterrupted] = useState<ReadonlySet<string>>(new Set())
  useEffect(() => {
    const item = all.find((i) => i.id === focused.current)
    if (!item?.deleted || item.deleted.by === me.user) return
    setInterrupted((before) => new Set(before).add(item.id))
    announce(`This ${noun} was deleted while you were editing it.`)
    focused.current = null
  }, [all, me.user, noun, focused])
  const settle = (id: string) => setInterrupted((before) => new Set([...before].filter((other) => other !== id)))
  return { interrupted, settle }
}
