import { X } from 'lucide-react'
import { useId, useState } from 'react'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { useKeys } from '../hooks/useShared.js'
import { addKey, removeKey, type YMap } from '../services/entityDocument.js'
import { FieldFrame } from './FieldFrame.js'

const TAG_MAX = 64

/** Words that stand for themselves. */
export const TagField = ({ tags }: { tags: YMap }) => {
  const { canEdit } = useRoomContext()
  const entries = useKeys(tags)
  const [draft, setDraft] = useState('')
  const labelId = useId()
  const add = () => {
    const tag = draft.trim()
    if (tag !== '' && !tags.has(tag)) addKey(tags, tag)
    setDraft('')
  }
  if (entries.length === 0 && !canEdit) return null
  return (
    <FieldFrame field="tags" label="Tags" labelId={labelId}>
      <ul className="tags" aria-labelledby={labelId}>
        {entries.map((tag) => (
          <li key={tag.key} className="chip">
            {tag.id}
            {canEdit && (
              <button type="button" aria-label={`Remove tag ${tag.id}`} onClick={() => removeKey(tags, tag.key)}>
                <X size={12} aria-hidden="true" />
              </button>
            )}
          </li>
        ))}
        {canEdit && (
          <li>
            <input
              className="flat-input tag-input"
              aria-label="Add a tag"
              placeholder="Add a tag"
              maxLength={TAG_MAX}
              value={draft}
              onChange={(e) => setDraft(e.target.value)}
              onBlur={add}
              onKeyDown={(e) => {
                if (e.key === 'Enter') add()
                if (e.key === 'Escape') setDraft('')
              }}
            />
          </li>
        )}
      </ul>
    </FieldFrame>
  )
}
