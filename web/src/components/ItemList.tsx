/** A list whose items keep their identity while others edit and move them (steps, inputs, exceptions, …). */
import { GripVertical, Plus, X } from 'lucide-react'
import { Suspense, useEffect, useId, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react'
import * as Y from 'yjs'
import { useFieldPeople } from '../hooks/useAwarenessField.js'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { useItems } from '../hooks/useShared.js'
import { useWebSocket } from '../hooks/useWebSocket.js'
import { addItem, deleteItem, itemText, moveItem, setText, type Item, type ItemText, type YMap } from '../services/entityDocument.js'
import { EDIT } from '../services/undo.js'
import { announce } from '../services/uiState.js'
import { StillText, TextField } from './AtomField.js'
import type { TextFieldHandle, TextFieldKeys } from './collab/TextField.js'
import { ConflictCard } from './ConflictCard.js'
import { FieldFrame } from './FieldFrame.js'
import { useDragOrder } from './useDragOrder.js'
import { useSettledRows } from './useSettledRows.js'

export type ItemPart = { key: ItemText; label: string; placeholder: string }

type ListProps = {
  list: YMap
  field: string
  label: string
  noun: string
  parts: readonly ItemPart[]
  numbered?: boolean
  focusOnMount?: boolean
}

type Focus = { id: string; at: 'start' | 'end' | number }

const textOf = (map: YMap, key: string): Y.Text | null => {
  const value = map.get(key)
  return value instanceof Y.Text ? value : null
}

export const ItemList = ({ list, field, label, noun, parts, numbered = false, focusOnMount = false }: ListProps) => {
  const { canEdit, room } = useRoomContext()
  const { me } = useWebSocket()
  const all = useItems(list)
  const labelId = useId()
  const rows = useRef(new Map<string, TextFieldHandle>())
  const [wanted, setWanted] = useState<Focus | null>(null)
  const focused = useRef<string | null>(null)
  const [interrupted, setInterrupted] = useState<ReadonlySet<string>>(new Set())
  const shown = all.filter((item) => item.deleted === null)
  const visible = all.filter((item) => item.deleted === null || item.conflict || interrupted.has(item.id))
  const container = useSettledRows(shown.map((i) => i.id).join(' '), () => (focused.current ? rows.current.get(focused.current) ?? null : null))

  // Deleted by somebody else under my hands: the card stays until I have decided.
  useEffect(() => {
    const id = focused.current
    const item = all.find((i) => i.id === id)
    if (item?.deleted && item.deleted.by !== me.user) {
      setInterrupted((before) => new Set(before).add(item.id))
      announce(`This ${noun} was deleted while you were editing it.`)
      focused.current = null
    }
  }, [all, me.user, noun])

  useEffect(() => {
    if (!wanted) return
    const frame = requestAnimationFrame(() => {
      rows.current.get(wanted.id)?.focus(wanted.at)
      setWanted(null)
    })
    return () => cancelAnimationFrame(frame)
  }, [wanted])

  const add = (index: number, text = '') => {
    const texts = Object.fromEntries(parts.map((p, i) => [p.key, i === 0 ? text : ''])) as Partial<Record<ItemText, string>>
    room.undo.stopCapturing()
    setWanted({ id: addItem(list, index, texts, me.user), at: 'start' })
  }

  useEffect(() => {
    if (focusOnMount && canEdit && shown.length === 0) add(0)
    // once, when the field was just added
  }, [])

  const remove = (index: number, focusAt: 'before' | 'none') => {
    const item = shown[index]!
    deleteItem(item.map, me.user)
    const neighbour = shown[index - 1] ?? shown[index + 1]
    if (focusAt === 'before' && neighbour) setWanted({ id: neighbour.id, at: shown[index - 1] ? 'end' : 'start' })
  }

  const move = (index: number, to: number): boolean => {
    const item = shown[index]
    if (!item || to < 0 || to >= shown.length) return true
    moveItem(list, item.id, to)
    announce(`Moved to place ${to + 1} of ${shown.length}.`)
    return true
  }

  const drag = useDragOrder(container, (from, to) => move(from, to))

  const keysFor = (index: number, item: Item): TextFieldKeys => ({
    moveUp: () => move(index, index - 1),
    moveDown: () => move(index, index + 1),
    leaveUp: () => (shown[index - 1] ? (rows.current.get(shown[index - 1]!.id)?.focus('end'), true) : false),
    leaveDown: () => (shown[index + 1] ? (rows.current.get(shown[index + 1]!.id)?.focus('start'), true) : false),
    ...(parts.length === 1 ? {
      enter: (before: string, after: string) => {
        const text = textOf(item.map, parts[0]!.key)
        if (before === '' && after !== '') {
          add(index) // room above
          setWanted({ id: item.id, at: 'start' })
        } else {
          if (text && after !== '') setText(text, before)
          add(index + 1, after)
        }
        return true
      },
      pasteLines: (lines: readonly string[], before: string, after: string) => {
        const text = textOf(item.map, parts[0]!.key)
        if (!text) return false
        room.undo.stopCapturing()
        setText(text, before + lines[0]!)
        let last = ''
        lines.slice(1).forEach((line, i) => {
          const isLast = i === lines.length - 2
          last = addItem(list, index + 1 + i, { [parts[0]!.key]: isLast ? line + after : line }, me.user)
        })
        setWanted({ id: last, at: lines.at(-1)!.length })
        return true
      },
      backspaceAtStart: () => join(index),
    } : {}),
  })

  /** Backspace at the start: an empty item goes; another is joined to the one above. */
  const join = (index: number): boolean => {
    const item = shown[index]!
    const above = shown[index - 1]
    const text = itemText(item.map)
    if (text === '' && (above || shown.length > 1)) return remove(index, 'before'), true
    const target = above ? textOf(above.map, parts[0]!.key) : null
    if (!above || !target) return false
    const at = target.length
    room.doc.transact(() => {
      target.insert(at, text)
      deleteItem(item.map, me.user)
    }, EDIT)
    setWanted({ id: above.id, at })
    return true
  }

  const register = (id: string) => (handle: TextFieldHandle | null) => {
    if (handle) rows.current.set(id, handle)
    else rows.current.delete(id)
  }

  return (
    <FieldFrame field={field} label={label} labelId={labelId}>
      <ol className="items" ref={container} aria-labelledby={labelId}
        onFocus={(e) => { focused.current = (e.target as HTMLElement).closest<HTMLElement>('[data-item]')?.dataset['item'] ?? null }}
        onBlur={() => { setTimeout(() => { if (!container.current?.contains(document.activeElement)) focused.current = null }, 0) }}>
        {visible.map((item) => {
          const index = shown.indexOf(item)
          if (index < 0) {
            return (
              <li key={item.id} className="item settled">
                <ConflictCard item={item} noun={noun} mine={interrupted.has(item.id)} onSettled={() => setInterrupted((s) => new Set([...s].filter((id) => id !== item.id)))} />
              </li>
            )
          }
          return (
            <Row key={item.id} item={item} index={index} count={shown.length} field={field} noun={noun} parts={parts} numbered={numbered}
              register={register(item.id)} keys={keysFor(index, item)} drag={drag} onMove={(to) => move(index, to)} onRemove={() => remove(index, 'before')} />
          )
        })}
      </ol>
      {canEdit && (
        <button type="button" className="button small quiet add-item" onClick={() => add(shown.length)}>
          <Plus size={14} aria-hidden="true" />{`Add ${noun}`}
        </button>
      )}
      {!canEdit && shown.length === 0 && <p className="muted none">None</p>}
    </FieldFrame>
  )
}

type RowProps = {
  item: Item; index: number; count: number; field: string; noun: string; parts: readonly ItemPart[]; numbered: boolean
  register: (handle: TextFieldHandle | null) => void
  keys: TextFieldKeys
  drag: { start: (event: PointerEvent, index: number) => void; from: number | null; to: number | null }
  onMove: (to: number) => void
  onRemove: () => void
}

const Row = ({ item, index, count, field, noun, parts, numbered, register, keys, drag, onMove, onRemove }: RowProps) => {
  const { room, canEdit } = useRoomContext()
  const path = `${field}/${item.id}`
  const people = useFieldPeople(room, path)
  const onHandleKey = (event: KeyboardEvent) => {
    const to = event.key === 'ArrowUp' ? index - 1 : event.key === 'ArrowDown' ? index + 1 : event.key === 'Home' ? 0 : event.key === 'End' ? count - 1 : null
    if (to === null) return
    event.preventDefault()
    onMove(to)
  }
  const name = `${noun} ${index + 1}`
  const edge = drag.from !== null && drag.to !== null && drag.from !== drag.to
  const mark = edge && drag.to === index ? (drag.to! > drag.from! ? 'below' : 'above') : undefined
  return (
    <li className="item" data-item={item.id} data-dragged={drag.from === index || undefined} data-drop={mark} {...(people[0] ? { 'data-colour': people[0].colour, 'data-remote': true } : {})}>
      {canEdit && (
        <button type="button" className="item-handle" aria-label={`Move ${name}`} title="Drag, or Alt+Up and Alt+Down" onKeyDown={onHandleKey} onPointerDown={(e) => drag.start(e, index)}>
          <GripVertical size={14} aria-hidden="true" />
        </button>
      )}
      <span className={numbered ? 'item-number' : 'item-bullet'} aria-hidden="true">{numbered ? index + 1 : '•'}</span>
      <div className="item-parts">
        {parts.map((part, i) => {
          const text = textOf(item.map, part.key)
          if (!text) return <p key={part.key} className="muted">This part cannot be shown.</p>
          const label = parts.length === 1 ? `${noun.charAt(0).toUpperCase()}${noun.slice(1)} ${index + 1}` : `${part.label}, ${name}`
          return (
            <div key={part.key} className="item-part">
              {parts.length > 1 && <span className="item-part-label" aria-hidden="true">{part.label}</span>}
              <Suspense fallback={<StillText text={text} placeholder={part.placeholder} />}>
                <TextField room={room} text={text} field={parts.length === 1 ? path : `${path}/${part.key}`} label={label} placeholder={canEdit ? part.placeholder : 'Empty'} readOnly={!canEdit} keys={keys} {...(i === 0 ? { ref: register } : {})} />
              </Suspense>
            </div>
          )
        })}
      </div>
      {canEdit && (
        <button type="button" className="button small icon quiet item-remove" aria-label={`Remove ${name}`} onClick={onRemove}><X size={14} aria-hidden="true" /></button>
      )}
    </li>
  )
}

