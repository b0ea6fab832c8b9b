import { useMemo } from 'react'
import { useRoom } from './useRoom.js'
import type { Person } from '../services/presence.js'
import type { Room } from '../services/Room.js'

/** Who else has their caret in a field, or in an item below it. */
export const useFieldPeople = (room: Room, field: string): readonly Person[] => {
  const people = useRoom(room, (s) => s.people)
  return useMemo(
    () => people.filter((p) => !p.self && p.field !== null && (p.field === field || p.field.startsWith(`${field}/`))),
    [people, field],
  )
}
