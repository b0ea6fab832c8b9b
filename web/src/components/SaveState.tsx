import { CloudOff, Lock, TriangleAlert } from 'lucide-react'
import { useEffect } from 'react'
import { useSaveState } from '../hooks/useSaveState.js'
import type { SaveState as State } from '../protocol/saving.js'
import { announce } from '../services/uiState.js'
import './save-state.css'

const changes = (n: number): string => (n === 1 ? '1 change' : `${n} changes`)

/** The fact, in words. `pending` says what was true before the key was pressed a moment ago: nothing. */
export const saveText = (s: State): string => {
  switch (s.kind) {
    case 'loading':
      return 'Opening'
    case 'saved':
      return 'All changes saved'
    case 'pending':
      return 'Editing'
    case 'saving':
      return 'Saving'
    case 'reconnecting':
      return s.unsaved > 0 ? `Reconnecting. ${changes(s.unsaved)} kept on this device` : 'Reconnecting'
    case 'offline':
      return s.unsaved > 0 ? `Offline. ${changes(s.unsaved)} kept on this device` : 'Offline'
    case 'at-risk':
      return `Not saved. Copy or export ${changes(s.unsaved)}`
    case 'readonly':
      return 'Read only'
  }
}

const ANNOUNCED = new Set<State['kind']>(['offline', 'at-risk', 'readonly'])

export const SaveState = ({ room }: { room: string | null }) => {
  const state = useSaveState(room)
  const words = saveText(state)
  const loud = ANNOUNCED.has(state.kind)
  useEffect(() => {
    if (loud) announce(words)
  }, [loud, words])
  return (
    <span
      className={`save-state ${state.kind}`}
      data-testid="save-state"
      data-state={state.kind}
      {...(state.kind === 'readonly' ? { title: state.reason } : {})}
    >
      {state.kind === 'offline' ? (
        <CloudOff size={13} aria-hidden="true" />
      ) : state.kind === 'readonly' ? (
        <Lock size={12} aria-hidden="true" />
      ) : state.kind === 'at-risk' ? (
        <TriangleAlert size={13} aria-hidden="true" />
      ) : (
        <i className="save-dot" aria-hidden="true" />
      )}
      {words}
    </span>
  )
}
