/** One row of a list: handle, number, its texts, and the way to remove it. */
import { GripVertical, X } from 'lucide-react'
import { Suspense, type KeyboardEvent, type PointerEvent } from 'react'
import { useFieldPeople } from '../hooks/useAwarenessField.js'
import { useRoomContext } from '../hooks/useRoomContext.js'
import type { Item, ItemText } from '../services/entityDocument.js'
import { StillText, TextField } from './AtomField.js'
import type { TextFieldHandle, TextFieldKeys } from './collab/TextField.js'
import { textOf } from './useItemEditing.js'

export type ItemPart = { key: ItemText; label: string; placeholder: string }

type Props = {
  item: Item
  index: number
  count: number
  field: string
  noun: string
  parts: readonly ItemPart[]
  numbered: boolean
  register: (handle: TextFieldHandle | null) => void
  keys: TextFieldKeys
  drag: { start: (event: PointerEvent, index: number) => void; from: number | null; to: number | null }
  onMove: (to: number) => void
  onRemove: () => void
}

export const ItemRow = ({
  item,
  index,
  count,
  field,
  noun,
  parts,
  numbered,
  register,
  keys,
  drag,
  onMove,
  onRemove,
}: Props) => {
  const { room, canEdit } = useRoomContext()
  const path = `${field}/${item.id}`
  const people = useFieldPeople(room, path)
  const onHandleKey = (event: KeyboardEvent) => {
    const to =
      event.key === 'ArrowUp'
        ? index - 1
        : event.key === 'ArrowDown'
          ? index + 1
          : event.key === 'Home'
            ? 0
            : event.key === 'End'
              ? count - 1
              : null
    if (to === null) return
    event.preventDefault()
    onMove(to)
  }
  const name = `${noun} ${index + 1}`
  const edge = drag.from !== null && drag.to !== null && drag.from !== drag.to
  const mark = edge && drag.to === index ? (drag.to! > drag.from! ? 'below' : 'above') : undefined
  return (
    <li
      className="item"
      data-item={item.id}
      data-dragged={drag.from === index || undefined}
      data-drop={mark}
      {...(people[0] ? { 'data-colour': people[0].colour, 'data-remote': true } : {})}
    >
      {canEdit && (
        <button
          type="button"
          className="item-handle"
          aria-label={`Move ${name}`}
          title="Drag, or Alt+Up and Alt+Down"
          onKeyDown={onHandleKey}
          onPointerDown={(e) => drag.start(e, index)}
        >
          <GripVertical size={14} aria-hidden="true" />
        </button>
      )}
      <span className={numbered ? 'item-number' : 'item-bullet'} aria-hidden="true">
        {numbered ? index + 1 : '•'}
      </span>
      <div className="item-parts">
        {parts.map((part, i) => {
          const text = textOf(item.map, part.key)
          if (!text)
            return (
              <p key={part.key} className="muted">
                This part cannot be shown.
              </p>
            )
          const label =
            parts.length === 1
              ? `${noun.charAt(0).toUpperCase()}${noun.slice(1)} ${index + 1}`
              : `${part.label}, ${name}`
          return (
            <div key={part.key} className="item-part">
              {parts.length > 1 && (
                <span className="item-part-label" aria-hidden="true">
                  {part.label}
                </span>
              )}
              <Suspense fallback={<StillText text={text} placeholder={part.placeholder} />}>
                <TextField
                  room={room}
                  text={text}
                  field={parts.length === 1 ? path : `${path}/${part.key}`}
                  label={label}
                  placeholder={canEdit ? part.placeholder : 'Empty'}
                  readOnly={!canEdit}
                  keys={keys}
                  {...(i === 0 ? { ref: register } : {})}
                />
              </Suspense>
            </div>
          )
        })}
      </div>
      {canEdit && (
        <button
          type="button"
          className="button small icon quiet item-remove"
          aria-label={`Remove ${name}`}
          onClick={onRemove}
        >
          <X size={14} aria-hidden="true" />
        </button>
      )}
    </li>
  )
}
