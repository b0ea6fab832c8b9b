/** A list of references in its order: the atoms of a module, the modules of a phase, the phases of a journey. */
import { ChevronDown, ChevronUp, X } from 'lucide-react'
import { useId } from 'react'
import { Link } from 'wouter'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { useKeys } from '../hooks/useShared.js'
import { usePeopleByRoom } from '../hooks/useWorkspace.js'
import { addKey, moveKey, removeKey, type YMap } from '../services/entityDocument.js'
import { FieldFrame } from './FieldFrame.js'
import { MiniPeople } from './ui/MiniPeople.js'
import { Select } from './ui/Select.js'
import { TypeMark } from './ui/TypeMark.js'

export type Referent = { id: string; name: string; type?: string; note?: string }

type Props = { list: YMap; field: string; label: string; kind: 'atom' | 'module' | 'phase'; known: readonly Referent[] }

export const KeyListField = ({ list, field, label, kind, known }: Props) => {
  const { canEdit } = useRoomContext()
  const entries = useKeys(list)
  const people = usePeopleByRoom()
  const labelId = useId()
  const byId = new Map(known.map((k) => [k.id, k]))
  const present = new Set(entries.map((e) => e.id))
  return (
    <FieldFrame field={field} label={label} labelId={labelId} tools={<span className="muted">{entries.length}</span>}>
      <ol className="entity-list" aria-labelledby={labelId}>
        {entries.map((entry, i) => {
          const referent = byId.get(entry.id)
          const name = referent?.name ?? entry.id
          return (
            <li key={entry.key} className="entity-row">
              <span className="item-number" aria-hidden="true">
                {i + 1}
              </span>
              <Link href={`/${kind}/${encodeURIComponent(entry.id)}`}>
                {referent?.type && <TypeMark type={referent.type} />}
                <span className="truncate">{name}</span>
                {!referent && known.length > 0 && <span className="muted">not found</span>}
              </Link>
              <MiniPeople people={people.get(`${kind}:${entry.id}`)} />
              {referent?.note && <span className="muted">{referent.note}</span>}
              {canEdit && (
                <>
                  <button
                    type="button"
                    className="button small icon quiet move"
                    aria-label={`Move ${name} up`}
                    disabled={i === 0}
                    onClick={() => moveKey(list, entry.key, i - 1)}
                  >
                    <ChevronUp size={14} aria-hidden="true" />
                  </button>
                  <button
                    type="button"
                    className="button small icon quiet move"
                    aria-label={`Move ${name} down`}
                    disabled={i === entries.length - 1}
                    onClick={() => moveKey(list, entry.key, i + 1)}
                  >
                    <ChevronDown size={14} aria-hidden="true" />
                  </button>
                  <button
                    type="button"
                    className="button small icon quiet item-remove"
                    aria-label={`Remove ${name}`}
                    onClick={() => removeKey(list, entry.key)}
                  >
                    <X size={14} aria-hidden="true" />
                  </button>
                </>
              )}
            </li>
          )
        })}
      </ol>
      {entries.length === 0 && <p className="muted none">None yet</p>}
      {canEdit && (
        <Select
          label={`Add to ${label.toLowerCase()}`}
          value=""
          look="flat add-key"
          options={[
            { value: '', label: `Add ${kind === 'atom' ? 'an atom' : `a ${kind}`}…` },
            ...known.filter((k) => !present.has(k.id)).map((k) => ({ value: k.id, label: k.name })),
          ]}
          onChange={(id) => {
            if (id) addKey(list, id)
          }}
        />
      )}
    </FieldFrame>
  )
}
