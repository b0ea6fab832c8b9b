/** The frame of a page that shows one document: loading, refused, read only, and undo for its keys. */
import { Lock, Redo2, Undo2 } from 'lucide-react'
import { useMemo, type ReactNode } from 'react'
import { Link } from 'wouter'
import { RoomContext } from '../context/RoomContext.js'
import { useCollaboration } from '../hooks/useCollaboration.js'
import { usePersonName } from '../hooks/usePersonName.js'
import { useShortcuts } from '../hooks/useShortcut.js'
import { useProblems } from '../hooks/useWorkspace.js'
import { useUndo } from '../hooks/useUndo.js'
import { placeOf, problemsOf } from '../services/api.js'
import type { Room } from '../services/Room.js'
import { ErrorBoundary } from './ui/ErrorBoundary.js'
import { EmptyState } from './ui/EmptyState.js'
import { keyName } from './ui/Kbd.js'
import { Skeleton } from './ui/Skeleton.js'
import './page.css'

type Props = {
  roomName: string
  noun: string
  menu?: (canEdit: boolean) => ReactNode
  children: () => ReactNode
}

export const DocumentPage = ({ roomName, noun, menu, children }: Props) => {
  const { room, status, refusal, readOnly, canEdit, generation, saveState } = useCollaboration(roomName)
  const context = useMemo(() => (room ? { room, canEdit } : null), [room, canEdit, generation])
  const id = roomName.slice(roomName.indexOf(':') + 1)
  if (refusal) {
    const hadIt = room?.state.getState().loaded
    if (refusal.kind === 'denied')
      return (
        <Page>
          <EmptyState
            title={`You cannot open this ${noun}`}
            actions={
              <Link href="/" className="button">
                Go to the explorer
              </Link>
            }
          >
            {refusal.reason || 'Ask an editor of the workspace for access.'}
          </EmptyState>
        </Page>
      )
    if (refusal.kind === 'not-found' && hadIt) {
      return (
        <Page>
          <EmptyState
            title={`This ${noun} was deleted`}
            actions={
              <Link href="/" className="button">
                Go to the explorer
              </Link>
            }
          >
            Its file <code>{id}</code> left the workspace while you had it open. Git keeps what was committed.
          </EmptyState>
        </Page>
      )
    }
    return (
      <Page>
        <EmptyState
          title={`There is no ${noun} “${id}”`}
          actions={
            <Link href="/" className="button">
              Go to the explorer
            </Link>
          }
        >
          {refusal.kind === 'not-found' ? 'It may have been deleted or renamed.' : refusal.reason}
        </EmptyState>
      </Page>
    )
  }
  if (status === 'loading' || !context || !room) {
    if (saveState.kind === 'offline')
      return (
        <Page>
          <EmptyState title={`This ${noun} is not on this device yet`}>
            You are offline, and it was never opened here. It opens by itself when the server answers again.
          </EmptyState>
        </Page>
      )
    return (
      <Page>
        <DocumentSkeleton noun={noun} />
      </Page>
    )
  }
  return (
    <RoomContext value={context}>
      <Page key={generation}>
        <div className="document-tools">
          {readOnly !== null && (
            <p className="read-only" data-testid="read-only">
              <Lock size={13} aria-hidden="true" />
              {readOnly}
            </p>
          )}
          <span className="spacer" />
          {canEdit && <UndoButtons room={room} generation={generation} />}
          {menu?.(canEdit)}
        </div>
        <FileProblems roomName={roomName} />
        <ErrorBoundary what={`this ${noun}`}>{children()}</ErrorBoundary>
      </Page>
    </RoomContext>
  )
}

/** What is wrong with this document's file: it keeps its last valid content meanwhile. */
const FileProblems = ({ roomName }: { roomName: string }) => {
  const problems = problemsOf(
    useProblems().data ?? [],
    `${roomName.slice(0, roomName.indexOf(':'))}s`,
    roomName.slice(roomName.indexOf(':') + 1),
  )
  const nameOf = usePersonName()
  if (problems.length === 0) return null
  return (
    <section className="banner document-problems" aria-label="Problems of the file" data-testid="file-problems">
      {problems.map((p, i) => (
        <span key={i}>
          {p.text}
          {p.user && ` (by ${nameOf(p.user)})`}. The file <code>{placeOf(p)}</code> keeps its last valid content.
        </span>
      ))}
    </section>
  )
}

export const Page = ({ children, wide = false }: { children: ReactNode; wide?: boolean }) => (
  <div className={wide ? 'page wide' : 'page'}>{children}</div>
)

const UndoButtons = ({ room, generation }: { room: Room; generation: number }) => {
  const { canUndo, canRedo, undo, redo } = useUndo(room, generation)
  useShortcuts([
    { key: 'z', mod: true, run: undo },
    { key: 'z', mod: true, shift: true, run: redo },
    { key: 'y', mod: true, run: redo },
  ])
  return (
    <>
      <button
        type="button"
        className="button small icon quiet"
        aria-label="Undo my last edit"
        title={keyName('Mod Z')}
        disabled={!canUndo}
        onClick={undo}
      >
        <Undo2 size={15} aria-hidden="true" />
      </button>
      <button
        type="button"
        className="button small icon quiet"
        aria-label="Redo"
        title={keyName('Mod Shift Z')}
        disabled={!canRedo}
        onClick={redo}
      >
        <Redo2 size={15} aria-hidden="true" />
      </button>
    </>
  )
}

const DocumentSkeleton = ({ noun }: { noun: string }) => (
  <div className="document" aria-busy="true" data-testid="loading">
    <span className="visually-hidden">Opening the {noun}</span>
    <div className="skeleton-block">
      <Skeleton width={180} height={12} />
      <Skeleton width={320} height={24} />
    </div>
    <div className="skeleton-grid">
      {Array.from({ length: 8 }, (_, i) => (
        <Skeleton key={i} width={`${60 + ((i * 17) % 30)}%`} />
      ))}
    </div>
    {[0, 1, 2].map((i) => (
      <div key={i} className="skeleton-block">
        <Skeleton width={90} height={11} />
        <Skeleton width="96%" />
        <Skeleton width={i === 1 ? '88%' : '62%'} />
        {i === 1 && <Skeleton width="71%" />}
      </div>
    ))}
  </div>
)
