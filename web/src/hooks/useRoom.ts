import { useEffect, useState } from 'react'
import { useStore } from 'zustand'
import { createStore } from 'zustand/vanilla'
import { NOTHING_YET, type Room, type RoomState } from '../services/Room.js'
import { useWebSocket } from './useWebSocket.js'

const NONE = createStore<RoomState>(() => NOTHING_YET)

/** Keeps a room open for as long as the component lives; null until the first effect. */
export const useOpenRoom = (name: string | null): Room | null => {
  const service = useWebSocket()
  const [room, setRoom] = useState<Room | null>(null)
  useEffect(() => {
    if (name === null) return setRoom(null)
    const opened = service.open(name)
    setRoom(opened)
    return () => service.release(opened)
  }, [service, name])
  return room?.name === name ? room : null
}

/** A part of a room's state. The selector must return the same thing for the same state. */
export const useRoom = <T>(room: Room | null, select: (state: RoomState) => T): T =>
  useStore(room?.state ?? NONE, select)
