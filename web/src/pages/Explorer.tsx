/** The whole workspace: as a tree or as a table, searched and filtered, with who is where. */
import { ListTree, Plus, Table2 } from 'lucide-react'
import { useDeferredValue, useEffect, useMemo, type RefObject } from 'react'
import { useLocation, useSearch } from 'wouter'
import { AtomTable } from '../components/AtomTable.js'
import { Page } from '../components/DocumentPage.js'
import { ExplorerFilters } from '../components/ExplorerFilters.js'
import { ExplorerOutline } from '../components/ExplorerOutline.js'
import { ProblemsBanner } from '../components/ProblemsBanner.js'
import { EmptyState } from '../components/ui/EmptyState.js'
import { Skeleton } from '../components/ui/Skeleton.js'
import { usePlace } from '../hooks/usePlace.js'
import { useWebSocket } from '../hooks/useWebSocket.js'
import { useTree } from '../hooks/useWorkspace.js'
import { matches, parseQuery } from '../services/explorer.js'
import { announce, setPanel } from '../services/uiState.js'
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

  useEffect(() => {
    if (isFiltered && !isLoading) announce(found.length === 1 ? 'One atom fits.' : `${found.length} atoms fit.`)
  }, [isFiltered, isLoading, found.length])

  if (error)
    return (
      <Page>
        <EmptyState
          title="The workspace cannot be read"
          actions={
            <button type="button" className="button primary" onClick={retry}>
              Try again
            </button>
          }
        >
          {error.message}
        </EmptyState>
      </Page>
    )
  if (isLoading) return <ExplorerSkeleton />
  if (atoms.length === 0 && tree.length === 0) {
    return (
      <Page>
        <ProblemsBanner />
        <EmptyState
          title="This workspace is empty"
          actions={
            canCreate && (
              <button type="button" className="button primary" onClick={() => setPanel('create', true)}>
                Create the first atom
              </button>
            )
          }
        >
          An atom is one small piece of documentation, a process or a decision, kept as a YAML file. Create one here, or
          put files into <code>atoms/</code> and they appear.
        </EmptyState>
      </Page>
    )
  }
  return (
    <Page wide>
      <ProblemsBanner />
      <div className="explorer-head">
        <h1>Explorer</h1>
        <span className="muted">
          {isFiltered ? `${found.length} of ${atoms.length} atoms` : `${atoms.length} atoms`}
        </span>
        <span className="spacer" />
        <div className="segmented" role="group" aria-label="View">
          <button
            type="button"
            className="button quiet"
            aria-pressed={view === 'tree'}
            onClick={() => go(text, 'tree')}
          >
            <ListTree size={14} aria-hidden="true" />
            <span>Tree</span>
          </button>
          <button
            type="button"
            className="button quiet"
            aria-pressed={view === 'table'}
            onClick={() => go(text, 'table')}
          >
            <Table2 size={14} aria-hidden="true" />
            <span>Table</span>
          </button>
        </div>
        {canCreate && (
          <button
            type="button"
            className="button primary new-atom"
            aria-label="New atom"
            onClick={() => setPanel('create', true)}
          >
            <Plus size={14} aria-hidden="true" />
            <span>New atom</span>
          </button>
        )}
      </div>
      <ExplorerFilters query={query} text={text} atoms={atoms} onChange={(next) => go(next, view)} />
      {found.length === 0 ? (
        <EmptyState
          title="Nothing fits this search"
          actions={
            <button type="button" className="button" onClick={() => go('', view)}>
              Clear the search
            </button>
          }
        />
      ) : view === 'tree' ? (
        <ExplorerOutline tree={tree} found={found} isFiltered={isFiltered} scroll={scroll} />
      ) : (
        <AtomTable atoms={found} scroll={scroll} />
      )}
    </Page>
  )
}

const ExplorerSkeleton = () => (
  <Page wide>
    <span className="visually-hidden">Reading the workspace</span>
    <div aria-busy="true" className="skeleton-block" data-testid="loading">
      <Skeleton width={140} height={24} />
      <Skeleton width="100%" height={30} />
      {Array.from({ length: 9 }, (_, i) => (
        <Skeleton key={i} width={`${50 + ((i * 23) % 40)}%`} />
      ))}
    </div>
  </Page>
)
