import { personColour } from '../services/presence.js'
import { useWebSocket } from './useWebSocket.js'
import { useWorkspacePeople } from './useWorkspace.js'

/** My colour as the server gave it to everybody who looks at the workspace. */
export const useOwnColour = (): number => {
  const { me } = useWebSocket()
  const people = useWorkspacePeople()
  return personColour(people.find((p) => p.user === me.user)?.colour ?? '', me.user)
}

/** From a user id to a name, as far as it is known here. */
export const usePersonName = (): ((user: string) => string) => {
  const { me } = useWebSocket()
  const people = useWorkspacePeople()
  return (user) => (user === me.user ? 'you' : (people.find((p) => p.user === user)?.name ?? (user || 'Somebody')))
}
