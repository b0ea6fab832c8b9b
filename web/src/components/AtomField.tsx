import { lazy, Suspense, useEffect, useId, useRef } from 'react'
import type * as Y from 'yjs'
import { useRoomContext } from '../hooks/useRoomContext.js'
import type { TextFieldHandle } from './collab/TextField.js'
import { FieldFrame } from './FieldFrame.js'

export const TextField = lazy(() => import('./collab/TextField.js'))

/** What stands in an editor's place until it has come: the text itself. */
export const StillText = ({ text, placeholder }: { text: Y.Text; placeholder: string }) => {
  const value = text.toString()
  return value ? <div className="still-text">{value}</div> : <div className="still-text muted">{placeholder}</div>
}

type Props = { text: Y.Text; field: string; label: string; placeholder: string; focusOnMount?: boolean }

/** One long text of the document. */
export const AtomField = ({ text, field, label, placeholder, focusOnMount = false }: Props) => {
  const { room, canEdit } = useRoomContext()
  const id = useId()
  const handle = useRef<TextFieldHandle>(null)
  useEffect(() => {
    if (!focusOnMount) return
    const frame = requestAnimationFrame(() => handle.current?.focus('end'))
    return () => cancelAnimationFrame(frame)
  }, [focusOnMount])
  return (
    <FieldFrame field={field} label={label} labelId={id}>
      <div className="field-box">
        <Suspense fallback={<StillText text={text} placeholder={placeholder} />}>
          <TextField
            ref={handle}
            room={room}
            text={text}
            field={field}
            label={label}
            placeholder={canEdit ? placeholder : 'Empty'}
            readOnly={!canEdit}
          />
        </Suspense>
      </div>
    </FieldFrame>
  )
}
