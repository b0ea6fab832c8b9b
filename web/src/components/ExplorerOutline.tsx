/** The atoms by journey, phase and module, with what a glance should tell. */
import { useMemo, useState, type RefObject } from 'react'
import { useLocation } from 'wouter'
import { useMediaQuery } from '../hooks/useMediaQuery.js'
import { usePeopleByRoom, type useTree } from '../hooks/useWorkspace.js'
import type { AtomRow } from '../services/api.js'
import { allKeys, flattenTree, pruneTree } from '../services/explorer.js'
import { CriticalityChip, StatusChip } from './StatusChips.js'
import { MiniPeople } from './ui/MiniPeople.js'
import { Tree } from './ui/Tree.js'
import { TypeMark } from './ui/TypeMark.js'
import { hrefOfNode } from './WorkspaceTree.js'

export const ExplorerOutline = ({
  tree,
  found,
  isFiltered,
  scroll,
}: {
  tree: ReturnType<typeof useTree>['tree']
  found: readonly AtomRow[]
  isFiltered: boolean
  scroll: RefObject<HTMLElement | null>
}) => {
  const [, navigate] = useLocation()
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const people = usePeopleByRoom()
  const coarse = useMediaQuery('(pointer: coarse)')
  const shown = useMemo(
    () => (isFiltered ? pruneTree(tree, new Set(found.map((a) => a.id))) : tree),
    [tree, found, isFiltered],
  )
  const keys = useMemo(() => allKeys(shown), [shown])
  const isOpen = (key: string) => !closed.has(key)
  const rows = useMemo(() => flattenTree(shown, (key) => !closed.has(key)), [shown, closed])
  return (
    <>
      <div className="outline-tools">
        <button type="button" className="button small quiet" onClick={() => setClosed(new Set())}>
          Open all
        </button>
        <button type="button" className="button small quiet" onClick={() => setClosed(new Set(keys))}>
          Close all
        </button>
      </div>
      <Tree
        label="Atoms by journey, phase and module"
        className="outline"
        rows={rows}
        isOpen={isOpen}
        rowHeight={coarse ? 44 : 32}
        scroll={scroll}
        current={null}
        hrefOf={hrefOfNode}
        navigate={navigate}
        toggle={(key, open) =>
          setClosed((s) => {
            const next = new Set(s)
            if (open) next.delete(key)
            else next.add(key)
            return next
          })
        }
        renderRow={({ node }) =>
          node.atom ? (
            <>
              <TypeMark type={node.atom.type} />
              <span className="truncate outline-name">{node.name}</span>
              <span className="outline-summary truncate muted">{node.atom.summary}</span>
              <MiniPeople people={people.get(`atom:${node.id}`)} />
              <span className="outline-facts">
                <StatusChip status={node.atom.status} />
                <CriticalityChip value={node.atom.criticality} />
              </span>
            </>
          ) : (
            <>
              <span className={`truncate outline-group ${node.kind}`}>{node.name}</span>
              <span className="muted outline-kind">{node.kind === 'group' ? '' : node.kind}</span>
              <MiniPeople people={people.get(`${node.kind}:${node.id}`)} />
              <span className="count">{node.count}</span>
            </>
          )
        }
      />
    </>
  )
}
