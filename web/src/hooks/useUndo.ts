import { useCallback, useSyncExternalStore } from 'react'
import type { Room } from '../services/Room.js'

const EVENTS = ['stack-item-added', 'stack-item-popped', 'stack-cleared'] as const

/** Undo and redo of one's own edits in a room. */
export const useUndo = (room: Room, generation: number) => {
  const subscribe = useCallback(
    (changed: () => void) => {
      const { undo } = room
      for (const event of EVENTS) undo.on(event, changed)
      return () => {
        for (const event of EVENTS) undo.off(event, changed)
      }
      // a new generation has a new manager
    },
    [room, generation],
  )
  const state = useSyncExternalStore(subscribe, () => (room.undo.canUndo() ? 1 : 0) + (room.undo.canRedo() ? 2 : 0))
  return {
    canUndo: (state & 1) !== 0,
    canRedo: (state & 2) !== 0,
    undo: () => room.undo.undo(),
    redo: () => room.undo.redo(),
  }
}
