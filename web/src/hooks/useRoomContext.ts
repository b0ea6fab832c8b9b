import { useContext } from 'react'
import { RoomContext } from '../context/RoomContext.js'

export const useRoomContext = () => {
  const context = useContext(RoomContext)
  if (!context) throw new Error('a field outside a document')
  return context
}
