import { useEffect, useRef } from 'react'
import { singleKeys } from '../services/uiState.js'

export type Shortcut = { key: string; mod?: boolean; shift?: boolean; whileTyping?: boolean; run: () => void }

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.closest('input, textarea, select, .cm-editor') !== null)

const fits = (s: Shortcut, event: KeyboardEvent): boolean => {
  const mod = event.ctrlKey || event.metaKey
  if (event.altKey || mod !== (s.mod ?? false)) return false
  if (s.mod && event.shiftKey !== (s.shift ?? false)) return false
  return event.key.toLowerCase() === s.key.toLowerCase() && ((s.whileTyping ?? false) || !isTyping(event.target))
}

/** Keys of the page. Single letters act only outside text. */
export const useShortcuts = (shortcuts: readonly Shortcut[]): void => {
  const current = useRef(shortcuts)
  current.current = shortcuts
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (
        event.defaultPrevented ||
        (event.target instanceof Element && event.target.closest('[role="dialog"], [role="menu"]'))
      )
        return
      const hit = current.current.find((s) => fits(s, event))
      if (!hit || (!hit.mod && !singleKeys.getState())) return
      event.preventDefault()
      hit.run()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}
