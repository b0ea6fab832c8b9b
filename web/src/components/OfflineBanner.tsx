import { useEffect } from 'react'
import { useStore } from 'zustand'
import { useConnection } from '../hooks/useConnection.js'
import { useSaveState } from '../hooks/useSaveState.js'
import { useWebSocket } from '../hooks/useWebSocket.js'
import { announce, say } from '../services/uiState.js'

const REFUSED = {
  'signed-out': 'Your sign-in is no longer valid. Open your sign-in link again, or ask for a new one.',
  denied: 'You have no access to this workspace.',
  'not-found': 'The server does not know this workspace.',
  replaced: 'The workspace was replaced on the server. Reload the page to go on.',
  refused: 'The server refused the connection.',
} as const

/** What is wrong with the line, and the way out. Nothing while a short drop heals itself. */
export const OfflineBanner = ({ room, exportText }: { room: string | null; exportText: () => string }) => {
  const service = useWebSocket()
  const connection = useConnection()
  const save = useSaveState(room)
  const unsaved = useStore(service.unsaved)
  const refusal = connection.status === 'refused' ? REFUSED[connection.refusal] : null
  useEffect(() => {
    if (refusal) announce(refusal)
  }, [refusal])
  if (refusal) {
    return (
      <div className="banner danger frame-banner" data-testid="connection-refused">
        <span>
          {refusal}
          {unsaved.changes > 0 ? ' What you typed is kept on this device.' : ''}
        </span>
        <button type="button" className="button small tint" onClick={() => service.dispatch({ type: 'connect' })}>
          Try again
        </button>
      </div>
    )
  }
  if (save.kind === 'at-risk') {
    return (
      <div className="banner danger frame-banner" data-testid="at-risk">
        <span>Not saved. This browser keeps nothing, so closing the tab would lose your changes.</span>
        <button
          type="button"
          className="button small tint"
          onClick={() =>
            void navigator.clipboard?.writeText(exportText()).then(() => say('Copied the text of this document.'))
          }
        >
          Copy the text
        </button>
        <button type="button" className="button small tint" onClick={() => service.online()}>
          Try again
        </button>
      </div>
    )
  }
  if (save.kind !== 'offline' || connection.status === 'locked') return null
  return (
    <div className="banner frame-banner" data-testid="offline-banner">
      <span>
        {save.unsaved > 0
          ? 'Offline. Keep working: your changes are kept on this device and sent when the server answers again.'
          : 'Offline. Keep working: changes are kept on this device.'}
      </span>
      <button type="button" className="button small tint" onClick={() => service.online()}>
        Try now
      </button>
    </div>
  )
}
