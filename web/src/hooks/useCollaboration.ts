import { useOpenRoom, useRoom } from './useRoom.js'

/** A document to work on, with everything a page needs to know about it. */
export const useCollaboration = (roomName: string) => {
  const room = useOpenRoom(roomName)
  const state = useRoom(room, (s) => s)
  return {
    room,
    doc: room?.doc ?? null,
    awareness: room?.awareness ?? null,
    status: state.refusal ? ('refused' as const) : state.loaded ? ('ready' as const) : ('loading' as const),
    refusal: state.refusal,
    readOnly: state.readOnly,
    saveState: state.save,
    people: state.people,
    generation: state.generation,
    canEdit: state.readOnly === null && state.loaded && state.refusal === null,
    undo: () => room?.undo.undo(),
    redo: () => room?.undo.redo(),
  }
}
