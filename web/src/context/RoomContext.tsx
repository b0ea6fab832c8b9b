import { createContext } from 'react'
import type { Room } from '../services/Room.js'

/** The document that the fields below are part of. */
export const RoomContext = createContext<{ room: Room; canEdit: boolean } | null>(null)
