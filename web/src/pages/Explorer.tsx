/** The whole workspace: as a tree or as a table, searched and filtered, with who is where. */
import { useVirtualizer } from '@tanstack/react-virtual'
import { ListFilter, ListTree, Plus, Search, Table2, X } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { useDeferredValue, useEffect, useLayoutEffect, useMemo, useRef, useState, type RefObject } from 'react'
import { Link, useLocation, useSearch } from 'wouter'
import { Page } from '../components/DocumentPage.js'
import { EmptyState } from '../components/ui/EmptyState.js'
import { MiniPeople } from '../components/ui/MiniPeople.js'
import { Skeleton } from '../components/ui/Skeleton.js'
import { Tree } from '../components/ui/Tree.js'
import { TypeMark } from '../components/ui/TypeMark.js'
import { hrefOfNode } from '../components/WorkspaceTree.js'
import { useMediaQuery } from '../hooks/useMediaQuery.js'
import { usePlace } from '../hooks/usePlace.js'
import { useWebSocket } from '../hooks/useWebSocket.js'
import { usePeopleByRoom, useProblems, useTree } from '../hooks/useWorkspace.js'
import { placeOf, type AtomRow } from '../services/api.js'
import { allKeys, CHIP_FIELDS, flattenTree, formatQuery, matches, parseQuery, pruneTree, type ChipField, type Query } from '../services/explorer.js'
import { setPanel } from '../services/uiState.js'
import { humanize } from '../services/vocabulary.js'
import './explorer.css'

type View = 'tree' | 'table'

export default function ExplorerPage({ scroll }: { scroll: RefObject<HTMLElement | null> }) {
  const [, navigate] = useLocation()
  const search = new URLSearchParams(useSearch())
  const text = search.get('q') ?? ''
  const view: View = search.get('view') === 'table' ? 'table' : 'tree'
  const { tree, atoms, isLoading, error, retry } = useTree()
  const { me } = useWebSocket()
  const canCreate = me.role !== 'viewer' && me.role !== 'commenter'
  usePlace(null, [{ label: 'Explorer' }])

  const go = (query: string, nextView: View) => {
    const next = new URLSearchParams()
    if (query) next.set('q', query)
    if (nextView === 'table') next.set('view', 'table')
    navigate(`/${next.size > 0 ? `?${next}` : ''}`, { replace: true })
  }
  const query = useMemo(() => parseQuery(text), [text])
  const deferred = useDeferredValue(query)
  const found = useMemo(() => atoms.filter((a) => matches(a, deferred)), [atoms, deferred])
  const isFiltered = query.words.length > 0 || query.chips.length > 0

  if (error) return <Page><EmptyState title="The workspace cannot be read" actions={<button type="button" className="button primary" onClick={retry}>Try again</button>}>{error.message}</EmptyState></Page>
  if (isLoading) return <ExplorerSkeleton />
  if (atoms.length === 0 && tree.length === 0) {
    return (
      <Page>
        <Problems />
        <EmptyState title="This workspace is empty" actions={canCreate && <button type="button" className="button primary" onClick={() => setPanel('create', true)}>Create the first atom</button>}>
          An atom is one small piece of documentation, a process or a decision, kept as a YAML file. Create one here, or put files into <code>atoms/</code> and they appear.
        </EmptyState>
      </Page>
    )
  }
  return (
    <Page wide>
      <Problems />
      <div className="explorer-head">
        <h1>Explorer</h1>
        <span className="muted" role="status">{isFiltered ? `${found.length} of ${atoms.length} atoms` : `${atoms.length} atoms`}</span>
        <span className="spacer" />
        <div className="segmented" role="group" aria-label="View">
          <button type="button" className="button quiet" aria-pressed={view === 'tree'} onClick={() => go(text, 'tree')}><ListTree size={14} aria-hidden="true" />Tree</button>
          <button type="button" className="button quiet" aria-pressed={view === 'table'} onClick={() => go(text, 'table')}><Table2 size={14} aria-hidden="true" />Table</button>
        </div>
        {canCreate && <button type="button" className="button primary new-atom" aria-label="New atom" onClick={() => setPanel('create', true)}><Plus size={14} aria-hidden="true" /><span>New atom</span></button>}
      </div>
      <Filters query={query} text={text} atoms={atoms} onChange={(next) => go(next, view)} />
      {found.length === 0 ? (
        <EmptyState title="Nothing fits this search" actions={<button type="button" className="button" onClick={() => go('', view)}>Clear the search</button>} />
      ) : view === 'tree' ? (
        <Outline tree={tree} found={found} isFiltered={isFiltered} scroll={scroll} />
      ) : (
        <AtomTable atoms={found} scroll={scroll} />
      )}
    </Page>
  )
}

// ---- search and filters -----------------------------------------------------------------------

const Filters = ({ query, text, atoms, onChange }: { query: Query; text: string; atoms: readonly AtomRow[]; onChange: (query: string) => void }) => {
  const [typed, setTyped] = useState(query.words.join(' '))
  const input = useRef<HTMLInputElement>(null)
  const own = useRef(typed)
  useEffect(() => {
    const words = parseQuery(text).words.join(' ')
    if (words !== own.current.trim().toLowerCase()) setTyped(words)
  }, [text])
  const type = (value: string) => {
    own.current = value
    setTyped(value)
    const parsed = parseQuery(value)
    onChange(formatQuery({ words: parsed.words, chips: [...query.chips, ...parsed.chips] }))
    if (parsed.chips.length > 0) setTyped(parsed.words.join(' '))
  }
  const toggle = (field: ChipField, value: string) => {
    const rest = query.chips.filter((c) => !(c.field === field && c.value.toLowerCase() === value.toLowerCase()))
    onChange(formatQuery({ words: query.words, chips: rest.length === query.chips.length ? [...rest, { field, value }] : rest }))
  }
  return (
    <div className="filters" role="search">
      <div className="search-box">
        <Search size={15} aria-hidden="true" />
        <input ref={input} id="explorer-search" type="search" className="input" placeholder="Search atoms" aria-label="Search atoms" value={typed} onChange={(e) => type(e.target.value)}
          onKeyDown={(e) => { if (e.key === 'Escape') { type(''); input.current?.blur() } }} />
      </div>
      <div className="filter-strip">{CHIP_FIELDS.map((field) => <FilterMenu key={field} field={field} atoms={atoms} query={query} toggle={toggle} />)}</div>
      {query.chips.length > 0 && (
        <ul className="chips" aria-label="Filters">
          {query.chips.map(({ field, value }) => (
            <li key={`${field} ${value}`}>
              <button type="button" className="chip filter-chip" onClick={() => toggle(field, value)} aria-label={`${humanize(field)} ${field === 'owner' || field === 'team' ? value : humanize(value)}, remove filter`}>
                <span className="muted">{humanize(field)}</span>{field === 'owner' || field === 'team' ? value : humanize(value)}<X size={12} aria-hidden="true" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

const FilterMenu = ({ field, atoms, query, toggle }: { field: ChipField; atoms: readonly AtomRow[]; query: Query; toggle: (field: ChipField, value: string) => void }) => {
  const counts = useMemo(() => {
    const all = new Map<string, number>()
    for (const a of atoms) if (a[field]) all.set(a[field], (all.get(a[field]) ?? 0) + 1)
    return [...all].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  }, [atoms, field])
  const name = (value: string) => (field === 'owner' || field === 'team' ? value : humanize(value))
  const chosen = (value: string) => query.chips.some((c) => c.field === field && c.value.toLowerCase().replace(/[_\s]+/g, ' ') === value.toLowerCase().replace(/[_\s]+/g, ' '))
  if (counts.length < 2) return null
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="button quiet filter-button"><ListFilter size={13} aria-hidden="true" />{humanize(field)}</DropdownMenu.Trigger>
      <DropdownMenu.Portal container={document.getElementById('page')}>
        <DropdownMenu.Content className="popover" align="start" sideOffset={4} collisionPadding={8}>
          {counts.map(([value, n]) => (
            <DropdownMenu.CheckboxItem key={value} className="menu-item" checked={chosen(value)} onSelect={(e) => e.preventDefault()} onCheckedChange={() => toggle(field, value)}>
              <span className="check" aria-hidden="true">{chosen(value) ? '✓' : ''}</span>{field === 'type' && <TypeMark type={value} />}{name(value)}<span className="menu-count">{n}</span>
            </DropdownMenu.CheckboxItem>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

// ---- tree ----------------------------------------------------------------------------------------

const StatusChip = ({ status }: { status: string }) => (status && status !== 'ACTIVE' ? <span className={`chip ${status.toLowerCase()}`}>{humanize(status)}</span> : null)
const CriticalityChip = ({ value }: { value: string }) => (value ? <span className={`chip ${value.toLowerCase()}`}>{humanize(value)}</span> : null)

const Outline = ({ tree, found, isFiltered, scroll }: { tree: ReturnType<typeof useTree>['tree']; found: readonly AtomRow[]; isFiltered: boolean; scroll: RefObject<HTMLElement | null> }) => {
  const [, navigate] = useLocation()
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const people = usePeopleByRoom()
  const coarse = useMediaQuery('(pointer: coarse)')
  const shown = useMemo(() => (isFiltered ? pruneTree(tree, new Set(found.map((a) => a.id))) : tree), [tree, found, isFiltered])
  const keys = useMemo(() => allKeys(shown), [shown])
  const isOpen = (key: string) => !closed.has(key)
  const rows = useMemo(() => flattenTree(shown, (key) => !closed.has(key)), [shown, closed])
  return (
    <>
      <div className="outline-tools">
        <button type="button" className="button small quiet" onClick={() => setClosed(new Set())}>Open all</button>
        <button type="button" className="button small quiet" onClick={() => setClosed(new Set(keys))}>Close all</button>
      </div>
      <Tree label="Atoms by journey, phase and module" className="outline" rows={rows} isOpen={isOpen} rowHeight={coarse ? 44 : 32} scroll={scroll} current={null} hrefOf={hrefOfNode} navigate={navigate}
        toggle={(key, open) => setClosed((s) => { const next = new Set(s); if (open) next.delete(key); else next.add(key); return next })}
        renderRow={({ node }) => node.atom ? (
          <>
            <TypeMark type={node.atom.type} />
            <span className="truncate outline-name">{node.name}</span>
            <span className="outline-summary truncate muted">{node.atom.summary}</span>
            <MiniPeople people={people.get(`atom:${node.id}`)} />
            <span className="outline-facts"><StatusChip status={node.atom.status} /><CriticalityChip value={node.atom.criticality} /></span>
          </>
        ) : (
          <>
            <span className={`truncate outline-group ${node.kind}`}>{node.name}</span>
            <span className="muted outline-kind">{node.kind === 'group' ? '' : node.kind}</span>
            <MiniPeople people={people.get(`${node.kind}:${node.id}`)} />
            <span className="count">{node.count}</span>
          </>
        )} />
    </>
  )
}

// ---- table -----------------------------------------------------------------------------------------

type SortKey = 'name' | 'type' | 'owner' | 'status' | 'criticality'
const COLUMNS: readonly { key: SortKey; label: string }[] = [
  { key: 'name', label: 'Name' }, { key: 'type', label: 'Type' }, { key: 'owner', label: 'Owner' }, { key: 'status', label: 'Status' }, { key: 'criticality', label: 'Criticality' },
]
const CRITICALITY_RANK = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', '']

const compareBy = (key: SortKey) => (a: AtomRow, b: AtomRow): number =>
  key === 'criticality' ? CRITICALITY_RANK.indexOf(a.criticality) - CRITICALITY_RANK.indexOf(b.criticality) : a[key].localeCompare(b[key])

const AtomTable = ({ atoms, scroll }: { atoms: readonly AtomRow[]; scroll: RefObject<HTMLElement | null> }) => {
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
    const next = body.current.getBoundingClientRect().top - scroll.current.getBoundingClientRect().top + scroll.current.scrollTop
    if (Math.abs(next - margin) > 1) setMargin(next)
  })
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroll.current, estimateSize: () => rowHeight, overscan: 12, scrollMargin: margin, getItemKey: (i) => rows[i]!.id })
  return (
    <div className="atom-table" role="table" aria-label="Atoms" aria-rowcount={rows.length + 1}>
      <div role="row" className="table-row head" aria-rowindex={1}>
        {COLUMNS.map((c) => (
          <div key={c.key} role="columnheader" className={`cell ${c.key}`} aria-sort={sort.key !== c.key ? 'none' : sort.down ? 'descending' : 'ascending'}>
            <button type="button" onClick={() => setSort((s) => ({ key: c.key, down: s.key === c.key && !s.down }))}>{c.label}<span aria-hidden="true">{sort.key === c.key ? (sort.down ? ' ↓' : ' ↑') : ''}</span></button>
          </div>
        ))}
        <div role="columnheader" className="cell here"><span>Here now</span></div>
      </div>
      <div ref={body} role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((item) => {
          const a = rows[item.index]!
          return (
            <div key={item.key} role="row" aria-rowindex={item.index + 2} className="table-row" style={{ height: item.size, transform: `translateY(${item.start - margin}px)` }}>
              <div role="cell" className="cell name"><Link href={`/atom/${encodeURIComponent(a.id)}`} title={a.summary}><TypeMark type={a.type} /><span className="truncate">{a.name}</span></Link></div>
              <div role="cell" className="cell type truncate muted">{humanize(a.type)}</div>
              <div role="cell" className="cell owner truncate">{a.owner}</div>
              <div role="cell" className="cell status"><span className={`chip ${a.status.toLowerCase()}`}>{humanize(a.status)}</span></div>
              <div role="cell" className="cell criticality"><CriticalityChip value={a.criticality} /></div>
              <div role="cell" className="cell here"><MiniPeople people={people.get(`atom:${a.id}`)} /></div>
            </div>
          )
        })}
      </div>
    </div>
  )
}

// ---- problems ---------------------------------------------------------------------------------------

/** Files that do not parse: the rest works, and these say where to look. */
const Problems = () => {
  const problems = useProblems().data ?? []
  const [open, setOpen] = useState(false)
  if (problems.length === 0) return null
  return (
    <section className="problems banner" aria-label="Problems in the workspace" data-testid="problems">
      <span>{problems.length === 1 ? 'One file of the workspace has a problem.' : `${problems.length} files of the workspace have problems.`} The rest works.</span>
      <button type="button" className="button small tint" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? 'Hide' : 'Show'}</button>
      {open && <ul>{problems.map((p, i) => <li key={i}><code>{placeOf(p)}</code> <span>{p.text}</span></li>)}</ul>}
    </section>
  )
}

const ExplorerSkeleton = () => (
  <Page wide>
    <span className="visually-hidden" role="status">Reading the workspace</span>
    <div aria-busy="true" className="skeleton-block" data-testid="loading">
      <Skeleton width={140} height={24} />
      <Skeleton width="100%" height={30} />
      {Array.from({ length: 9 }, (_, i) => <Skeleton key={i} width={`${50 + ((i * 23) % 40)}%`} />)}
    </div>
  </Page>
)
