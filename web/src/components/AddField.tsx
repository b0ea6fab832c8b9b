import { Plus } from 'lucide-react'

/** The empty fields, folded into one row. */
export const AddField = ({
  fields,
  onAdd,
}: {
  fields: readonly { key: string; label: string }[]
  onAdd: (key: string) => void
}) => {
  if (fields.length === 0) return null
  return (
    <div className="add-field" role="group" aria-label="Add a field">
      <span className="muted" aria-hidden="true">
        <Plus size={14} />
        Add field
      </span>
      {fields.map((f) => (
        <button key={f.key} type="button" className="button small quiet" onClick={() => onAdd(f.key)}>
          {f.label}
        </button>
      ))}
    </div>
  )
}
