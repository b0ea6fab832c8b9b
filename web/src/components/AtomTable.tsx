/** The atoms as a table that sorts by its columns; only the rows in view are in the page. */
import { useVirtualizer } from '@tanstack/react-virtual'
import { useLayoutEffect, useMemo, useRef, useState, type RefObject } from 'react'
import { Link } from 'wouter'
import { useMediaQuery } from '../hooks/useMediaQuery.js'
import { usePeopleByRoom } from '../hooks/useWorkspace.js'
import type { AtomRow } from '../services/api.js'
import { humanize } from '../services/vocabulary.js'
import { CriticalityChip } from './StatusChips.js'
import { MiniPeople } from './ui/MiniPeople.js'
import { TypeMark } from './ui/TypeMark.js'

type SortKey = 'name' | 'type' | 'owner' | 'status' | 'criticality'
const COLUMNS: readonly { key: SortKey; label: string }[] = [
  { key: 'name', label: 'Name' },
  { key: 'type', label: 'Type' },
  { key: 'owner', label: 'Owner' },
  { key: 'status', label: 'Status' },
  { key: 'criticality', label: 'Criticality' },
]
const CRITICALITY_RANK = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', '']

const compareBy =
  (key: SortKey) =>
  (a: AtomRow, b: AtomRow): number =>
    key === 'criticality'
      ? CRITICALITY_RANK.indexOf(a.criticality) - CRITICALITY_RANK.indexOf(b.criticality)
      : a[key].localeCompare(b[key])

export const AtomTable = ({ atoms, scroll }: { atoms: readonly AtomRow[]; scroll: RefObject<HTMLElement | null> }) => {
  const people = usePeopleByRoom()
  const [sort, setSort] = useState<{ key: SortKey; down: boolean }>({ key: 'name', down: false })
  const coarse = useMediaQuery('(pointer: coarse)')
  const rowHeight = coarse ? 44 : 34
  const body = useRef<HTMLDivElement>(null)
  const [margin, setMargin] = useState(0)
  const rows = useMemo(() => {
    const sorted = [...atoms].sort((a, b) => compareBy(sort.key)(a, b) || a.name.localeCompare(b.name))
    return sort.down ? sorted.reverse() : sorted
  }, [atoms, sort])
  useLayoutEffect(() => {
    if (!body.current || !scroll.current) return
    const next =
      body.current.getBoundingClientRect().top - scroll.current.getBoundingClientRect().top + scroll.current.scrollTop
    if (Math.abs(next - margin) > 1) setMargin(next)
  })
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: margin,
    getItemKey: (i) => rows[i]!.id,
  })
  return (
    <div className="atom-table" role="table" aria-label="Atoms" aria-rowcount={rows.length + 1}>
      <div role="row" className="table-row head" aria-rowindex={1}>
        {COLUMNS.map((c) => (
          <div
            key={c.key}
            role="columnheader"
            className={`cell ${c.key}`}
            aria-sort={sort.key !== c.key ? 'none' : sort.down ? 'descending' : 'ascending'}
          >
            <button type="button" onClick={() => setSort((s) => ({ key: c.key, down: s.key === c.key && !s.down }))}>
              {c.label}
              <span aria-hidden="true">{sort.key === c.key ? (sort.down ? ' ↓' : ' ↑') : ''}</span>
            </button>
          </div>
        ))}
        <div role="columnheader" className="cell here">
          <span>Here now</span>
        </div>
      </div>
      <div ref={body} role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((item) => {
          const a = rows[item.index]!
          return (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 2}
              className="table-row"
              style={{ height: item.size, transform: `translateY(${item.start - margin}px)` }}
            >
              <div role="cell" className="cell name">
                <Link href={`/atom/${encodeURIComponent(a.id)}`} title={a.summary}>
                  <TypeMark type={a.type} />
                  <span className="truncate">{a.name}</span>
                </Link>
              </div>
              <div role="cell" className="cell type truncate muted">
                {humanize(a.type)}
              </div>
              <div role="cell" className="cell owner truncate">
                {a.owner}
              </div>
              <div role="cell" className="cell status">
                <span className={`chip ${a.status.toLowerCase()}`}>{humanize(a.status)}</span>
              </div>
              <div role="cell" className="cell criticality">
                <CriticalityChip value={a.criticality} />
              </div>
              <div role="cell" className="cell here">
                <MiniPeople people={people.get(`atom:${a.id}`)} />
              </div>
            </div>
          )
        })}
      </div>
    </div>
  )
}
