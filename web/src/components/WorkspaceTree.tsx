import { useEffect, useMemo, useState, type RefObject } from 'react'
import { useLocation } from 'wouter'
import { usePeopleByRoom, useTree } from '../hooks/useWorkspace.js'
import { useMediaQuery } from '../hooks/useMediaQuery.js'
import { flattenTree, pathTo, type FlatNode } from '../services/explorer.js'
import { setPanel } from '../services/uiState.js'
import { MiniPeople } from './ui/MiniPeople.js'
import { Skeleton } from './ui/Skeleton.js'
import { Tree } from './ui/Tree.js'
import { TypeMark } from './ui/TypeMark.js'

export const hrefOfNode = ({ node }: FlatNode): string | null =>
  node.kind === 'group' ? null : `/${node.kind}/${encodeURIComponent(node.id)}`

/** The workspace beside every page; it opens on the way to what is shown. */
export const WorkspaceTree = ({ scroll }: { scroll: RefObject<HTMLElement | null> }) => {
  const { tree, isLoading } = useTree()
  const people = usePeopleByRoom()
  const [location, navigate] = useLocation()
  const [opened, setOpened] = useState<ReadonlyMap<string, boolean>>(new Map())
  const coarse = useMediaQuery('(pointer: coarse)')
  const [, kind = '', id = ''] = location.split('/')

  const path = useMemo(() => new Set(pathTo(tree, kind, safeDecode(id)).map((n) => n.key)), [tree, kind, id])
  useEffect(() => {
    setOpened((m) => new Map([...m].filter(([, open]) => open)))
  }, [location])

  const isOpen = (key: string): boolean =>
    opened.get(key) ?? (path.has(key) || (tree.length === 1 && tree[0]!.key === key))
  const rows = flattenTree(tree, isOpen)
  if (isLoading)
    return (
      <div className="tree-loading">
        {[120, 150, 96, 140, 110, 130].map((w, i) => (
          <Skeleton key={i} width={w} />
        ))}
      </div>
    )
  return (
    <Tree
      label="Workspace"
      rows={rows}
      isOpen={isOpen}
      toggle={(key, open) => setOpened((m) => new Map(m).set(key, open))}
      hrefOf={hrefOfNode}
      navigate={(href) => {
        navigate(href)
        setPanel('drawer', false)
      }}
      current={location}
      rowHeight={coarse ? 44 : 28}
      indent={10}
      scroll={scroll}
      renderRow={({ node }) => (
        <>
          {node.atom && <TypeMark type={node.atom.type} />}
          <span className="truncate" title={node.name}>
            {node.name}
          </span>
          {people.has(`${node.kind}:${node.id}`) ? (
            <MiniPeople people={people.get(`${node.kind}:${node.id}`)} />
          ) : (
            node.kind !== 'atom' && <span className="count">{node.count}</span>
          )}
        </>
      )}
    />
  )
}

const safeDecode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
