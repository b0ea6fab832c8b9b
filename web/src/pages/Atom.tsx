import { MoreHorizontal, Trash2 } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { useMemo, useState } from 'react'
import { useLocation } from 'wouter'
import { useQueryClient } from '@tanstack/react-query'
import { CollaborativeAtomEditor } from '../components/CollaborativeAtomEditor.js'
import { DeleteAtomDialog } from '../components/DeleteAtomDialog.js'
import { DocumentPage } from '../components/DocumentPage.js'
import { usePlace } from '../hooks/usePlace.js'
import { useTree } from '../hooks/useWorkspace.js'
import { roomOf } from '../services/entityDocument.js'
import { pathTo } from '../services/explorer.js'
import { say } from '../services/uiState.js'

export default function AtomPage({ id }: { id: string }) {
  const { tree, atoms } = useTree()
  const atom = atoms.find((a) => a.id === id)
  const crumbs = useMemo(
    () =>
      pathTo(tree, 'atom', id)
        .filter((n) => n.kind !== 'group')
        .slice(-3, -1)
        .map((n) => ({ label: n.name, href: `/${n.kind}/${encodeURIComponent(n.id)}` })),
    [tree, id],
  )
  usePlace(roomOf('atom', id), [...crumbs, { label: atom?.name ?? id }])
  const linkedFrom = useMemo(() => atoms.filter((a) => a.edges.some((e) => e.target === id)).length, [atoms, id])
  return (
    <DocumentPage
      key={id}
      roomName={roomOf('atom', id)}
      noun="atom"
      menu={(canEdit) => canEdit && <AtomMenu id={id} name={atom?.name ?? ''} linkedFrom={linkedFrom} />}
    >
      {() => <CollaborativeAtomEditor id={id} />}
    </DocumentPage>
  )
}

const AtomMenu = ({ id, name, linkedFrom }: { id: string; name: string; linkedFrom: number }) => {
  const [isDeleting, setDeleting] = useState(false)
  const [, navigate] = useLocation()
  const queries = useQueryClient()
  return (
    <>
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger className="button small icon quiet" aria-label="More for this atom">
          <MoreHorizontal size={15} aria-hidden="true" />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal container={document.getElementById('page')}>
          <DropdownMenu.Content className="popover" align="end" sideOffset={4} collisionPadding={8}>
            <DropdownMenu.Item className="menu-item danger" onSelect={() => setDeleting(true)}>
              <Trash2 size={14} aria-hidden="true" />
              Delete atom
            </DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      <DeleteAtomDialog
        id={id}
        name={name}
        linkedFrom={linkedFrom}
        open={isDeleting}
        onClose={() => setDeleting(false)}
        onDeleted={() => {
          setDeleting(false)
          void queries.invalidateQueries({ queryKey: ['atom'] })
          navigate('/')
          say(`Deleted ${name || id}.`)
        }}
      />
    </>
  )
}
