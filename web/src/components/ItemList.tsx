/** A list whose items keep their identity while others edit and move them (steps, inputs, exceptions, …). */
import { Plus } from 'lucide-react'
import { useEffect, useId, useRef } from 'react'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { useItems } from '../hooks/useShared.js'
import type { YMap } from '../services/entityDocument.js'
import { ConflictCard } from './ConflictCard.js'
import { FieldFrame } from './FieldFrame.js'
import { ItemRow, type ItemPart } from './ItemRow.js'
import { useDragOrder } from './useDragOrder.js'
import { useInterrupted, useItemEditing, useItemFocus } from './useItemEditing.js'
import { useSettledRows } from './useSettledRows.js'

type Props = {
  list: YMap
  field: string
  label: string
  noun: string
  parts: readonly ItemPart[]
  numbered?: boolean
  focusOnMount?: boolean
}

export const ItemList = ({ list, field, label, noun, parts, numbered = false, focusOnMount = false }: Props) => {
  const { canEdit } = useRoomContext()
  const all = useItems(list)
  const labelId = useId()
  const focused = useRef<string | null>(null)
  const shown = all.filter((item) => item.deleted === null)
  const editors = useItemFocus()
  const { add, remove, move, keysFor } = useItemEditing(
    list,
    shown,
    parts.map((p) => p.key),
    editors,
  )
  const { interrupted, settle } = useInterrupted(all, focused, noun)
  const container = useSettledRows(shown.map((i) => i.id).join(' '), () =>
    focused.current ? (editors.rows.current.get(focused.current) ?? null) : null,
  )
  const drag = useDragOrder(container, move)

  useEffect(() => {
    if (focusOnMount && canEdit && shown.length === 0) add(0)
    // once, when the field was just added
  }, [])

  return (
    <FieldFrame field={field} label={label} labelId={labelId}>
      <ol
        className="items"
        ref={container}
        aria-labelledby={labelId}
        onFocus={(e) => {
          focused.current = (e.target as HTMLElement).closest<HTMLElement>('[data-item]')?.dataset['item'] ?? null
        }}
        onBlur={() => {
          setTimeout(() => {
            if (!container.current?.contains(document.activeElement)) focused.current = null
          }, 0)
        }}
      >
        {all
          .filter((item) => item.deleted === null || item.conflict || interrupted.has(item.id))
          .map((item) => {
            const index = shown.indexOf(item)
            return index < 0 ? (
              <li key={item.id} className="item settled">
                <ConflictCard
                  item={item}
                  noun={noun}
                  mine={interrupted.has(item.id)}
                  onSettled={() => settle(item.id)}
                />
              </li>
            ) : (
              <ItemRow
                key={item.id}
                item={item}
                index={index}
                count={shown.length}
                field={field}
                noun={noun}
                parts={parts}
                numbered={numbered}
                register={editors.register(item.id)}
                keys={keysFor(index)}
                drag={drag}
                onMove={(to) => move(index, to)}
                onRemove={() => remove(index)}
              />
            )
          })}
      </ol>
      {canEdit && (
        <button type="button" className="button small quiet add-item" onClick={() => add(shown.length)}>
          <Plus size={14} aria-hidden="true" />
          {`Add ${noun}`}
        </button>
      )}
      {!canEdit && shown.length === 0 && <p className="muted none">None</p>}
    </FieldFrame>
  )
}
