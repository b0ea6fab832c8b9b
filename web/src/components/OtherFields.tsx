import { useEntries } from '../hooks/useShared.js'
import type { YMap } from '../services/entityDocument.js'
import { humanize } from '../services/vocabulary.js'

type Props = { map: YMap; isKnown?: (key: string) => boolean; title?: string }

/** Keys of the file that have no place of their own on the page: shown, kept, written back. */
export const OtherFields = ({ map, isKnown = () => false, title = 'Other fields' }: Props) => {
  const rows = useEntries(map).filter(([key]) => !isKnown(key))
  if (rows.length === 0) return null
  return (
    <section className="field" aria-label={title}>
      <div className="field-label">
        <h2>{title}</h2>
        <span className="muted">kept as they are in the file</span>
      </div>
      <dl className="other-fields">
        {rows.map(([key, value]) => (
          <div key={key}>
            <dt>{humanize(key)}</dt>
            <dd>
              <code>{typeof value === 'string' ? value : JSON.stringify(value)}</code>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
