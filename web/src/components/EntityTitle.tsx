import { Check, Copy } from 'lucide-react'
import { Suspense, useState } from 'react'
import type * as Y from 'yjs'
import { useFieldPeople } from '../hooks/useAwarenessField.js'
import { useText } from '../hooks/useShared.js'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { StillText, TextField } from './AtomField.js'
import { EditingNow } from './FieldFrame.js'

/** The id (a click copies it) and the name, edited in place. */
export const EntityTitle = ({ id, name, noun }: { id: string; name: Y.Text | null; noun: string }) => {
  const { room, canEdit } = useRoomContext()
  const people = useFieldPeople(room, 'name')
  const [copied, setCopied] = useState(false)
  const copy = () => {
    void navigator.clipboard?.writeText(id).then(() => {
      setCopied(true)
      setTimeout(() => setCopied(false), 1500)
    })
  }
  return (
    <header
      className="entity-title"
      data-testid="field-name"
      {...(people[0] ? { 'data-colour': people[0].colour, 'data-remote': true } : {})}
    >
      <h1 className="visually-hidden">{useText(name) || id}</h1>
      <div className="entity-id">
        <button type="button" className="mono" onClick={copy} aria-label={`Copy the id ${id}`}>
          {id}
          {copied ? <Check size={12} aria-hidden="true" /> : <Copy size={12} aria-hidden="true" />}
        </button>
        <EditingNow people={people} />
      </div>
      <div className="title-box">
        {name ? (
          <Suspense fallback={<StillText text={name} placeholder={`Name of the ${noun}`} />}>
            <TextField
              room={room}
              text={name}
              field="name"
              label="Name"
              placeholder={`Name of the ${noun}`}
              readOnly={!canEdit}
              singleLine
              keys={{ enter: () => true }}
            />
          </Suspense>
        ) : (
          <p className="muted">The name cannot be shown: its shape in the document is broken.</p>
        )}
      </div>
    </header>
  )
}
