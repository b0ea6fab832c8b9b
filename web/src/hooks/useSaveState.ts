import { useStore } from 'zustand'
import type { SaveState } from '../protocol/saving.js'
import { useConnection } from './useConnection.js'
import { useOpenRoom, useRoom } from './useRoom.js'
import { useWebSocket } from './useWebSocket.js'

/** What may be said about saving: of the room in view, otherwise of everything this page holds. */
export const useSaveState = (roomName: string | null): SaveState => {
  const service = useWebSocket()
  const room = useOpenRoom(roomName)
  const own = useRoom(room, (s) => s.save)
  const refused = useRoom(room, (s) => s.refusal !== null)
  const { changes, atRisk } = useStore(service.unsaved)
  const connection = useConnection()
  const isStopped = connection.status === 'refused' || connection.status === 'locked' || connection.status === 'asleep'
  if (room && !refused)
    return own.kind === 'reconnecting' && isStopped ? { kind: 'offline', unsaved: own.unsaved } : own
  if (atRisk && connection.status !== 'open') return { kind: 'at-risk', unsaved: changes }
  if (connection.status === 'open') return changes > 0 ? { kind: 'saving', unsaved: changes } : { kind: 'saved' }
  if (
    connection.status === 'connecting' ||
    connection.status === 'closed' ||
    (connection.status === 'waiting' && connection.attempts < 4)
  ) {
    return { kind: 'reconnecting', unsaved: changes }
  }
  return { kind: 'offline', unsaved: changes }
}
