import { Compass, Plus, Workflow } from 'lucide-react'
import { useRef } from 'react'
import { Link, useLocation } from 'wouter'
import { useWorkflows } from '../hooks/useWorkspace.js'
import { setPanel } from '../services/uiState.js'
import { WorkspaceTree } from './WorkspaceTree.js'

export const SideNav = ({ canCreate }: { canCreate: boolean }) => {
  const scroll = useRef<HTMLDivElement>(null)
  const [location] = useLocation()
  const workflows = useWorkflows().data ?? []
  const item = (href: string) => ({
    href,
    className: 'nav-item',
    onClick: () => setPanel('drawer', false),
    ...(location === href ? { 'aria-current': 'page' as const } : {}),
  })
  return (
    <nav className="side-nav" aria-label="Workspace" ref={scroll} data-testid="side-nav" tabIndex={-1}>
      <Link {...item('/')}>
        <Compass size={15} aria-hidden="true" />
        Explorer
      </Link>
      {canCreate && (
        <button type="button" className="nav-item" onClick={() => setPanel('create', true)}>
          <Plus size={15} aria-hidden="true" />
          New atom
        </button>
      )}
      {workflows.length > 0 && <h2 className="nav-title">Workflows</h2>}
      {workflows.map((w) => (
        <Link key={w.id} {...item(`/workflow/${encodeURIComponent(w.id)}`)}>
          <Workflow size={14} aria-hidden="true" />
          <span className="truncate">{w.name}</span>
        </Link>
      ))}
      <h2 className="nav-title">Workspace</h2>
      <WorkspaceTree scroll={scroll} />
    </nav>
  )
}
