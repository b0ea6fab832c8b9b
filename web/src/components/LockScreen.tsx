import { useStore } from 'zustand'
import { useConnection } from '../hooks/useConnection.js'
import { useWebSocket } from '../hooks/useWebSocket.js'
import { Dialog } from './ui/Dialog.js'

/** The session was idle for half an hour. Words that were not sent stay in this browser. */
export const LockScreen = () => {
  const service = useWebSocket()
  const connection = useConnection()
  const { changes } = useStore(service.unsaved)
  return (
    <Dialog
      open={connection.status === 'locked'}
      onClose={() => undefined}
      required
      className="lock"
      title="Paused"
      description={
        changes > 0
          ? 'Nobody worked here for 30 minutes, so the connection was closed. Your unsent changes are kept in this browser (not encrypted).'
          : 'Nobody worked here for 30 minutes, so the connection was closed.'
      }
    >
      <div className="actions">
        <button type="button" className="button primary" onClick={() => service.dispatch({ type: 'connect' })}>
          Continue
        </button>
      </div>
    </Dialog>
  )
}
