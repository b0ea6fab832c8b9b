import { Plus, X } from 'lucide-react'
import { useId, useState } from 'react'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { useEntries } from '../hooks/useShared.js'
import { setPlain, type YMap } from '../services/entityDocument.js'
import { EDIT } from '../services/undo.js'
import { humanize, METRICS } from '../services/vocabulary.js'
import { FieldFrame } from './FieldFrame.js'
import { PlainInput } from './PropertyGrid.js'

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

/** Numbers by name. */
export const MetricList = ({ metrics }: { metrics: YMap }) => {
  const { canEdit, room } = useRoomContext()
  const rows = useEntries(metrics)
  const labelId = useId()
  return (
    <FieldFrame field="metrics" label="Metrics" labelId={labelId}>
      {rows.length === 0 && !canEdit && <p className="muted none">None</p>}
      <ul className="metrics" aria-labelledby={labelId}>
        {rows.map(([name]) => (
          <li key={name} className="metric">
            <span className="property-label" aria-hidden="true">
              {METRICS[name] ?? humanize(name)}
            </span>
            <PlainInput
              map={metrics}
              name={name}
              field={`metrics/${name}`}
              label={METRICS[name] ?? humanize(name)}
              numeric
              placeholder="–"
            />
            {canEdit && (
              <button
                type="button"
                className="button small icon quiet item-remove"
                aria-label={`Remove metric ${METRICS[name] ?? humanize(name)}`}
                onClick={() => room.doc.transact(() => metrics.delete(name), EDIT)}
              >
                <X size={14} aria-hidden="true" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {canEdit && <AddMetric metrics={metrics} taken={rows.map(([name]) => name)} />}
    </FieldFrame>
  )
}

const AddMetric = ({ metrics, taken }: { metrics: YMap; taken: readonly string[] }) => {
  const [name, setName] = useState<string | null>(null)
  const listId = useId()
  if (name === null) {
    return (
      <button type="button" className="button small quiet add-item" onClick={() => setName('')}>
        <Plus size={14} aria-hidden="true" />
        Add metric
      </button>
    )
  }
  const key = name.trim().toLowerCase().replace(/\s+/g, '_')
  const bad = key !== '' && (!NAME.test(key) || taken.includes(key))
  return (
    <form
      className="add-metric"
      onSubmit={(e) => {
        e.preventDefault()
        if (key === '' || bad) return
        setPlain(metrics, key, 0)
        setName(null)
      }}
    >
      <input
        className="input"
        autoFocus
        aria-label="Name of the metric"
        placeholder="Name"
        value={name}
        list={listId}
        aria-invalid={bad || undefined}
        onChange={(e) => setName(e.target.value)}
        onKeyDown={(e) => {
          if (e.key === 'Escape') setName(null)
        }}
      />
      <datalist id={listId}>
        {Object.keys(METRICS)
          .filter((m) => !taken.includes(m))
          .map((m) => (
            <option key={m} value={m} />
          ))}
      </datalist>
      <button type="submit" className="button small" disabled={key === '' || bad}>
        Add
      </button>
      <button type="button" className="button small quiet" onClick={() => setName(null)}>
        Cancel
      </button>
    </form>
  )
}
