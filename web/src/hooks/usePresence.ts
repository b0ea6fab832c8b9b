import { useOpenRoom, useRoom } from './useRoom.js'

/** Who is in the room: one entry per person, whatever the number of tabs. */
export const usePresence = (roomName: string | null) => useRoom(useOpenRoom(roomName), (state) => state.people)
