import { useWebSocket } from './useWebSocket.js'
import { useWorkspacePeople } from './useWorkspace.js'

/** From a user id to a name, as far as it is known here. */
export const usePersonName = (): ((user: string) => string) => {
  const { me } = useWebSocket()
  const people = useWorkspacePeople()
  return (user) => (user === me.user ? 'you' : people.find((p) => p.user === user)?.name ?? (user || 'Somebody'))
}
